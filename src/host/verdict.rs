//! What became of a comparison.

/// What became of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the name says; by this evidence.
    Yes(String),
    /// It isn't; what is there instead.
    No(String),
    /// The name says nothing that could be compared, or nothing is there to compare it with; why.
    Open(String),
}

impl Verdict {
    /// Yes, no, or unknown.
    pub fn agrees(&self) -> Option<bool> {
        match self {
            Verdict::Yes(_) => Some(true),
            Verdict::No(_) => Some(false),
            Verdict::Open(_) => None,
        }
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Verdict::Yes(evidence) => format!("as the name says: {evidence}"),
            Verdict::No(instead) => format!("not as the name says: {instead}"),
            Verdict::Open(why) => why.clone(),
        }
    }
}
