//! Documents by dice: guests with odd layouts, odd quotes and odd company, each of them well-formed.

/// Bytes that decide; when they are used up, the plainest choice is taken.
pub(crate) struct Dice<'a>(std::slice::Iter<'a, u8>);

const TYPES: &[(&str, &[(&str, &str)])] = &[
    ("network", &[("network", "default")]),
    ("network", &[("network", "lan"), ("portgroup", "sales")]),
    ("network", &[("portid", "x"), ("network", "iso"), ("bridge", "virbr0")]),
    ("bridge", &[("bridge", "old&amp;br")]),
    ("bridge", &[("bridge", "br0")]),
    ("direct", &[("dev", "eth&#48;"), ("mode", "vepa")]),
    ("user", &[]),
    ("ethernet", &[]),
    ("vhostuser", &[("type", "unix"), ("path", "/a>b"), ("mode", "client")]),
    ("mcast", &[("address", "230.0.0.1"), ("port", "1")]),
];

const PARTS: &[&str] = &[
    "<model type='virtio'/>",
    "<!-- <interface type='network'> -->",
    "<alias name='net0'/>",
    "<alias name=\"ua-1\"/>",
    "<vlan><tag id='3'/></vlan>",
    "<virtualport><parameters profileid='a'/></virtualport>",
    "<virtualport type='802.1Qbh'><parameters profileid=\"x'y\"/></virtualport>",
    "<bandwidth>\n<inbound floor='3'/>\n</bandwidth>",
    "<bandwidth><inbound average='1'\n  floor = '3'/> <!-- floor --> </bandwidth>",
    "<port isolated='yes'/>",
    "<mtu size = '9000'/>",
    "<coalesce><rx><frames max='7'/></rx></coalesce>",
    "<filterref filter='f'><parameter name='IP' value='1.2.3.4'/></filterref>",
    "<backend type='passt'\n\t\tlogFile='/l'/>",
    "<backend tap=\"/t\" vhost='/v'/>",
    "<x:vlan xmlns:x='urn:x'><x:tag/></x:vlan>",
    "<source2 network='default'>text &lt; text</source2>",
    "<?pi <vlan/> ?>",
    "<![CDATA[<alias name='net0'/>]]>",
    "<target dev='t' managed='no'/>",
    "<portForward proto='tcp'/>",
    "<mac address='52:54:00:00:00:01' currentAddress='52:54:00:00:00:02'/>",
    "<virtualport><!-- switch: passwd='HUNTER2 noted long ago' --><parameters/></virtualport>",
    "<virtualport passwd='HUNTER2'>passwd=&apos;HUNTER2&apos;<secret>\n<![CDATA[HUNTER2]]><?p HUNTER2?></secret></virtualport>",
    "<bandwidth><inbound floor='1'/><!-- <secret>HUNTER2</secret> --></bandwidth>",
    "<backend type='passt' password=\"HUNTER2\"><!-- passwd=HUNTER2 --></backend>",
    "<!-- was: passwd=\"a passwd='HUNTER2\" and HUNTER2' -->",
    "<secret><uuid>1</uuid><!-- HUNTER2 -->a<![CDATA[HUNTER2]]></secret>",
    "<?pi password = 'HUNTER2'?>",
];

const BEFORE: &[&str] = &[
    "",
    "<?xml version='1.0'?>",
    "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes'?>",
    "<!-- <domain> -->",
    "<?pi?><!-- a --> <!-- b -->",
];

const COMPANY: &[&str] = &[
    "<interface type='network' xmlns='urn:not-libvirt'><source network='default'/></interface>",
    "<disk type='file'><source file='a > b'/></disk>",
    "<x:interface xmlns:x='urn:x' type='network'><source network='default'/></x:interface>",
    "<![CDATA[<interface type='network'/>]]>",
    "<!-- <interface type='network'/> -->",
    "<hostdev><interface type='network'/></hostdev>",
    "<graphics passwd='HUNTER2' keymap='de'/>",
    "<secret type='x'><name>n</name>\u{e4}<![CDATA[HUNTER2]]></secret>",
    "<note>passwd=\"HUNTER2\" <![CDATA[password='HUNTER2']]></note>",
    "text &amp; more \u{e4}\u{1F980}",
];

impl Dice<'_> {
    pub(crate) fn new(bytes: &[u8]) -> Dice<'_> {
        Dice(bytes.iter())
    }

    /// A number below `n`.
    fn roll(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |b| usize::from(*b) % n)
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }

    /// What stands between two elements.
    fn gap(&mut self, newline: &str, indent: &str) -> String {
        match self.roll(6) {
            0..=2 => format!("{newline}{indent}"),
            3 => String::new(),
            4 => " ".into(),
            _ => format!("\t{newline}{newline}{indent} "),
        }
    }

    fn attributes(&mut self, of: &[(&str, &str)]) -> String {
        let mut out = String::new();
        for (name, value) in of {
            let blank = self.pick(&[" ", " ", "  ", "\t", "\n "]);
            let equals = self.pick(&["=", "=", " = ", "\n=\t"]);
            let quote = self.pick(&["'", "'", "\""]);
            out += &format!("{blank}{name}{equals}{quote}{value}{quote}");
        }
        out + self.pick(&["", "", " "])
    }

    fn interface(&mut self, newline: &str, indent: &str) -> String {
        let (kind, source) = TYPES[self.roll(TYPES.len())];
        let tag = self.attributes(&[("type", kind)]);
        let mut parts: Vec<String> = Vec::new();
        if !source.is_empty() || self.roll(3) == 0 {
            let attributes = self.attributes(source);
            parts.push(match self.roll(5) {
                0..=2 => format!("<source{attributes}/>"),
                3 => format!("<source{attributes}></source >"),
                _ => format!("<source{attributes}><ip address='1.2.3.4'/> </source>"),
            });
        }
        for _ in 0..self.roll(6) {
            let part = self.pick(PARTS).to_string();
            // Parts of one name twice aren't libvirt's.
            let name = part.split([' ', '>']).next().unwrap_or_default().to_string();
            if !parts.iter().any(|p| p.split([' ', '>', '\t', '\n']).next() == Some(&name)) {
                let at = self.roll(parts.len() + 1);
                parts.insert(at, part);
            }
        }
        if parts.is_empty() && self.roll(2) == 0 {
            return format!("<interface{tag}/>");
        }
        let mut out = format!("<interface{tag}>");
        for part in parts {
            out += &self.gap(newline, &format!("{indent}{indent}{indent}"));
            out += &part;
        }
        out + &self.gap(newline, &format!("{indent}{indent}")) + "</interface>"
    }

    /// A whole domain.
    pub(crate) fn domain(&mut self) -> String {
        let newline = self.pick(&["\n", "\n", "\r\n", "\r"]);
        let indent = self.pick(&["  ", "  ", "\t", " ", "", "    "]);
        let mut out = self.pick(&["", "", "\u{feff}"]).to_string();
        let before = self.pick(BEFORE);
        if !before.is_empty() {
            out += before;
            out += newline;
        }
        out += &format!("<domain{}>", self.attributes(&[("type", "kvm")]));
        out += &format!("{newline}{indent}<name>g</name>{newline}{indent}<metadata>");
        out += self.pick(COMPANY);
        out += &format!("</metadata>{newline}{indent}<devices>");
        for _ in 0..self.roll(5) {
            out += &self.gap(newline, &format!("{indent}{indent}"));
            match self.roll(4) {
                0 => out += self.pick(COMPANY),
                _ => out += &self.interface(newline, indent),
            }
        }
        out += &format!("{}</devices>{}</domain>", self.gap(newline, indent), self.gap(newline, ""));
        out + self.pick(&["\n", "", "\n\n", "<!-- end -->"])
    }
}
