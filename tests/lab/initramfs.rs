//! The file system that a guest boots into, as the archive that the kernel unpacks: cpio in its "new ASCII" form.

/// An archive in the making. Folders come before what is in them.
#[derive(Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    count: u32,
}

impl Archive {
    /// Adds a folder.
    pub(crate) fn folder(&mut self, name: &str) {
        self.entry(name, 0o040_755, b"");
    }

    /// Adds a file that may be executed.
    pub(crate) fn file(&mut self, name: &str, content: &[u8]) {
        self.entry(name, 0o100_755, content);
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, b"");
        self.bytes
    }

    /// A header of a magic number and thirteen hexadecimal ones, the name and the content, each filled up to four bytes.
    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.count += 1;
        let size = u32::try_from(content.len()).expect("a guest's files are small");
        let name_size = u32::try_from(name.len()).expect("names are short") + 1;
        // inode, mode, user, group, links, time, size, device (two), special device (two), size of the name, checksum
        let header = [self.count, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        for number in header {
            self.bytes.extend_from_slice(format!("{number:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.fill();
        self.bytes.extend_from_slice(content);
        self.fill();
    }

    fn fill(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
