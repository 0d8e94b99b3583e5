//! `check` and what isn't a guest, nor meant well: it ends, says why, and goes on with the rest.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;

use support::{Sandbox, guest, is_root_or_skip, odd_name};

#[test]
fn files_that_cannot_be_read_stop_no_others() {
    let here = Sandbox::new();
    here.write("vm/z.xml", "<domain");
    here.program("mkfifo").arg("vm/pipe.xml").gives(0);
    fs::File::create(here.path("vm/sparse.xml")).unwrap().set_len(1 << 30).unwrap();
    fs::create_dir(here.path("vm/folder.xml")).unwrap();
    here.write("vm/folder.xml/in.xml", "<domain");
    for (name, to) in [
        ("loop.xml", "loop.xml"),
        ("dangling.xml", "nowhere"),
        ("zero.xml", "/dev/zero"),
        ("up", ".."),
        ("self.xml", "."),
    ] {
        symlink(to, here.path("vm").join(name)).unwrap();
    }
    let unread = [
        ("pipe.xml", "no regular file"),
        ("sparse.xml", "larger than 16 MiB"),
        ("loop.xml", "symbolic link"),
        ("dangling.xml", "No such file"),
        ("zero.xml", "no regular file"),
    ];
    let done = here.kvmnet("check vm").gives(2);
    assert_eq!(done.err.lines().count(), unread.len(), "{done}");
    let done = done.shows(&["vm/z.xml:1:", "vm/folder.xml/in.xml:1:", "2 errors"]);
    for (name, why) in unread {
        let line = done.err.lines().find(|line| line.contains(&format!("vm/{name}: "))).unwrap();
        assert!(line.contains(why), "{line}");
        here.kvmnet("check").arg(format!("vm/{name}")).gives(2).says(&[name, why]);
    }
    for (name, why) in [
        ("missing.xml", "No such file"),
        ("missing/a.xml", "No such file"),
        ("vm/z.xml/a", "Not a directory"),
    ] {
        here.kvmnet("check").arg(name).gives(2).says(&[name, why]);
    }
    here.kvmnet("check -o json vm/zero.xml vm/z.xml").gives(2).says(&["zero.xml"]).json();
}

#[test]
fn a_file_without_the_right_to_read_it() {
    if !is_root_or_skip("files that only root may read") {
        return;
    }
    let here = Sandbox::new();
    here.guest("vm/a.xml");
    here.guest("shut/a.xml");
    here.program("chmod").args(["0", "vm/a.xml", "shut"]).gives(0);
    let done = here.kvmnet("check vm shut").by_nobody(&here).gives(2);
    done.says(&[
        "vm/a.xml: cannot read it: Permission denied",
        "shut: cannot look into it: Permission denied",
    ]);
}

#[test]
fn texts_of_every_sort() {
    let here = Sandbox::new();
    let bomb = "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><domain><name>&b;</name></domain>";
    let theirs = "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain><name>&x;</name></domain>";
    let bare = "<?xml version='1.0'?>\n<!DOCTYPE domain>\n<domain type='kvm'><name>a</name><memory>1</memory><os><type>hvm</type></os></domain>";
    let cases: [(&str, &[u8], i32, &str); 14] = [
        ("empty", b"", 1, "KN001"),
        ("blank", b" \n\n ", 1, "KN001"),
        ("text", b"hello", 1, "KN001"),
        ("no end", b"<domain><devices>", 1, "KN001"),
        ("doubled", b"<domain a='1' a='2'/>", 1, "KN001"),
        ("control", b"<domain>\x01</domain>", 1, "KN001"),
        ("no text", b"<domain>\xff</domain>", 1, "KN001"),
        ("foreign", b"<html/>", 1, "KN002"),
        ("latin 1", b"<?xml version='1.0' encoding='ISO-8859-1'?><domain>\xe4</domain>", 2, "iconv"),
        ("utf 16", b"\xff\xfe<\0d\0/\0>\0", 2, "UTF-16"),
        ("bomb", bomb.as_bytes(), 2, "DTD"),
        ("bare", bare.as_bytes(), 0, "nothing found"),
        ("outside", b"<!DOCTYPE domain SYSTEM 'domain.dtd'><domain/>", 2, "DTD"),
        ("theirs", theirs.as_bytes(), 2, "DTD"),
    ];
    for (what, text, code, said) in cases {
        here.write("a.xml", text);
        let done = here.kvmnet("check a.xml").gives(code);
        assert!(done.out.contains(said) || done.err.contains(said), "{what}: {done}");
    }
}

/// What `virsh attach-device`, `update-device` and `net-update` take is a part of libvirt's, and nothing to complain about.
#[test]
fn parts_that_virsh_takes_alone() {
    let here = Sandbox::new();
    for part in [
        "<memory model='dimm'><target><size unit='MiB'>512</size><node>0</node></target></memory>",
        "<graphics type='vnc' port='-1'/>",
        "<interface type='network'><source network='default'/></interface>",
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
        "<lease><lockspace>a</lockspace><key>b</key><target path='/c'/></lease>",
        "<host mac='52:54:00:00:00:01' ip='192.168.122.9'/>",
        "<range start='192.168.122.100' end='192.168.122.200'/>",
        "<portgroup name='a'/>",
        "<srv service='a' protocol='tcp'/>",
    ] {
        here.write("a.xml", part);
        here.kvmnet("check --deny warnings a.xml").gives(0);
    }
    here.write("a.xml", "<grafics type='vnc'/>");
    here.kvmnet("check a.xml").gives(1).shows(&["KN002"]);
}

/// The guest that a snapshot or checkpoint keeps is one, but none of the folder's guests.
#[test]
fn a_guest_that_a_snapshot_keeps() {
    let here = Sandbox::new();
    let kept = "<domain type='kvm'>\n<name>web1</name>\n<memory>524288</memory>\n<os><type arch='x86_64'>hvm</type></os>\n\
        <devices><interface type='network'><source network='lan'/><link state='Down'/></interface></devices>\n</domain>\n";
    for root in ["domainsnapshot", "domaincheckpoint"] {
        here.write("snap/a.xml", format!("<{root}>\n<name>s</name>\n{kept}</{root}>\n"));
        let done = here.kvmnet("check -o json snap").gives(1);
        let findings = done.json()["findings"].clone();
        let codes: Vec<_> = findings.as_array().unwrap().iter().map(|f| f["code"].clone()).collect();
        assert_eq!(codes, ["KN040"], "{root}: and no network of the set's is missed");
        here.kvmnet("check --fix -y snap").gives(0);
        assert_eq!(
            here.text("snap/a.xml"),
            format!("<{root}>\n<name>s</name>\n{}</{root}>\n", kept.replace("Down", "down"))
        );
    }
    // So were snapshots written once: libvirt reads no guest in them.
    here.write(
        "snap/a.xml",
        "<domainsnapshot><name>s</name><domain><uuid>x</uuid></domain></domainsnapshot>",
    );
    here.kvmnet("check --deny warnings snap").gives(0);
}

/// Time grows with the text, not with its square: with that, most of these would take so long that they count as hanging.
#[test]
fn much_of_one_thing() {
    let here = Sandbox::new();
    let many = |part: &str| part.repeat(10_000);
    let count = |part: fn(usize) -> String| (0..10_000).map(part).collect::<String>();
    let domain = |inner: &str| format!("<domain type='kvm'><name>a</name><memory>1</memory>{inner}</domain>");
    let devices = |inner: &str| domain(&format!("<devices>{inner}</devices>"));
    let nic = |inner: &str| devices(&format!("<interface type='user'>{inner}</interface>"));
    for (what, text) in [
        ("deep", domain(&format!("{}{}", many("<a>"), many("</a>")))),
        ("deep in a NIC", nic(&format!("{}{}", many("<a b='c'>"), many("</a>")))),
        ("comments", domain(&many("<!-- kvmnet: ignore KN012 -->"))),
        ("wrong comments", domain(&many("<!-- kvmnet: ignore KN999 -->"))),
        (
            "no MAC twice",
            devices(&count(|n| {
                format!(
                    "<interface type='network'><mac address='52:54:00:00:{:02x}:{:02x}'/><source network='n'/></interface>",
                    n >> 8,
                    n & 255
                )
            })),
        ),
        (
            "one MAC",
            devices(&many(
                "<interface type='bridge'><mac address='52:54:00:0:0:1'/><source bridge='b'/></interface>",
            )),
        ),
        (
            "one tap, one address, one number",
            devices(&many(
                "<interface type='ethernet'><target dev='t'/><acpi index='1'/><ip address='::1'/></interface>",
            )),
        ),
        ("one line", devices(&many("<interface type='direct'><source dev='d'/></interface>"))),
        ("unknown words", nic(&many("<modle/><soruce a=''/>"))),
        ("words", nic(&count(|n| format!("<x{n}/>")))),
        (
            "subnets, hosts, ranges and routes",
            format!(
                "<network><name>a</name><ip address='10.0.0.1' prefix='8'><dhcp>{}</dhcp></ip>{}</network>",
                count(|n| {
                    let (high, low) = (n >> 8, n & 255);
                    format!(
                        "<range start='10.0.{high}.{low}' end='10.1.0.0'/><host mac='52:54:00:0:0:1' ip='10.0.{high}.{low}'/>"
                    )
                }),
                count(|n| {
                    format!(
                        "<ip address='10.9.{}.{}' prefix='30'/><portgroup name='a'/><route address='10.0.0.0' prefix='8' gateway='11.0.0.1'/><mtu size='{n}'/>",
                        n >> 8,
                        n & 255
                    )
                }),
            ),
        ),
        (
            "boot orders",
            devices(&count(|n| {
                format!(
                    "<interface type='user'><boot order='{n}'/><address type='pci' slot='{n}'/></interface>"
                )
            })),
        ),
    ] {
        here.write("a.xml", &text);
        let done = here.kvmnet("check -o json a.xml").run();
        assert!(done.code < 2, "{what}: {done}");
    }
}

#[test]
fn odd_names() {
    let here = Sandbox::new();
    let bad = guest("web1", &["default"]).replace("52:54", "53:54");
    for name in ["a b.xml", "ä😀.xml", "--fix.xml", "new\nline.xml", "*.xml", "\u{1b}[31m.xml"] {
        here.write(format!("vm/{name}"), &bad);
    }
    here.write(std::path::Path::new("vm").join(odd_name()), &bad);
    let done = here
        .kvmnet("check --select KN011 vm")
        .gives(1)
        .says_nothing()
        .shows(&["7 files checked: 7 errors", "new\\nline.xml"]);
    assert!(!done.out.contains("\u{1b}[31m"), "{done}");
    here.kvmnet("check -o json vm").gives(1).json();
    // A pattern in the shell's way.
    here.shell("cd vm && \"$K\" check --select KN011 -- *.xml").gives(1).shows(&["7 files checked"]);
}

/// Of a long line a part is shown, and the place is told once.
#[test]
fn a_long_line() {
    let here = Sandbox::new();
    let nic = "<interface type='bridge'><source bridge='br0'/><target dev='tap'/></interface>";
    let far = format!("<!-- {} -->", "x".repeat(3000));
    here.write(
        "a.xml",
        format!("<domain type='kvm'><name>a</name><devices>{far}{nic}{far}{nic}{far}</devices></domain>"),
    );
    for color in ["never", "always"] {
        let done = here.kvmnet(&format!("check --select KN061 --color {color} a.xml")).gives(1);
        let marks = done.out.lines().filter(|line| line.contains("-->") || line.contains(":::"));
        let marks: Vec<_> = marks.filter(|line| !line.contains('|')).collect();
        assert!(marks.len() == 2 && marks.iter().all(|line| line.contains("a.xml:1:")), "{done}");
    }
}

/// libvirt reads past a prefix that isn't declared, and so do the rules; nothing is mended there.
#[test]
fn a_prefix_that_is_not_declared_hides_nothing() {
    let here = Sandbox::new();
    let text = "<domain type='kvm'><name>a</name><memory>32768</memory><os><type>hvm</type></os>\n<metadata><nova:instance \
                n:id='1'>x</nova:instance></metadata>\n<devices><interface type='direct'><source dev='eno1'/></interface>\n\
                <interface type='network'><source network='nowhere'/></interface></devices></domain>";
    here.write("vm/a.xml", text);
    here.write("vm/net.xml", "<network><name>lab</name></network>");
    let done = here.kvmnet("check vm").gives(1);
    done.shows(&["KN006", "a.xml:2:", "the namespace prefix", "KN017", "a.xml:3:", "KN200", "a.xml:4:"]);
    let done = here.kvmnet("check --fix -y vm").run();
    assert_eq!(fs::read_to_string(here.path("vm/a.xml")).unwrap(), text, "{done}");
    // To the parser, QEMU's arguments are none then; they are secrets all the same.
    let argument = "<qemu:commandline><qemu:arg value='secret,id=a,data=HUNTER2'/></qemu:commandline>";
    here.write("c/c.xml", text.replace('\n', "").replace("</devices>", &format!("</devices>{argument}")));
    here.write("c/net.xml", "<network><name>lab</name></network>");
    let done = here.kvmnet("check c").gives(1);
    assert!(done.out.contains("KN200") && !format!("{done}").contains("HUNTER2"), "{done}");
    // Declared, but elsewhere.
    here.write("b.xml", "<network><name>b</name><a:x/><y xmlns:a='u'/></network>");
    here.kvmnet("check b.xml").gives(0).shows(&["KN006", "nothing else was looked at"]);
}
