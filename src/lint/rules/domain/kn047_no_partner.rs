//! Half a pair.

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, value};

pub(super) static RULE: Rule = Rule {
    code: "KN047",
    name: "no-partner",
    severity: Severity::Warning,
    summary: "a NIC names another one as the half of a pair that stays, and there is none",
    why: "\
A NIC with <teaming type='transient' persistent='ua-…'/> is taken away when the guest migrates, and the one with that alias \
takes over. If no NIC has the alias, nothing takes over. Aliases of one's own begin with ua-; those that libvirt makes up \
(net0) aren't kept.",
    fixable: false,
    bad: &[example!("KN047-no-partner", "bad.xml")],
    good: &[example!("KN047-no-partner", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    for nic in &domain.nics {
        let Some(team) = nic.child("teaming").filter(|team| team.attribute("type") == Some("transient")) else {
            continue;
        };
        let Some(alias) = team.attribute("persistent").filter(|alias| alias.starts_with("ua-")) else { continue };
        if !domain.nics.iter().any(|other| other.attr("alias", "name") == Some(alias)) {
            let what = format!("no NIC has the alias '{}'", alias.escape_debug());
            report
                .at(value(nic.doc, team, "persistent"), what)
                .help("write <alias name='ua-…'/> in the NIC that stays, and the same name here");
        }
    }
}
