//! The children of a process, as Linux lists them in `/proc`; elsewhere there seem to be none.

use std::fs;

use rustix::process::Pid;

/// The processes whose parent is `parent`, those included that have ended and were not waited for.
pub(super) fn children(parent: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    ids.filter(|id| look(*id).is_some_and(|(_, of)| of == parent)).collect()
}

/// Whether a process is there and has not ended.
pub(super) fn is_alive(id: Pid) -> bool {
    look(id).is_some_and(|(state, _)| !"ZX".contains(state))
}

/// Whether a process does nothing until it is told to go on, or ever.
pub(super) fn stands_still(id: Pid) -> bool {
    look(id).is_none_or(|(state, _)| "TtZX".contains(state))
}

/// State and parent of a process.
fn look(id: Pid) -> Option<(char, u32)> {
    parse(&fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?)
}

/// Reads `ID (NAME) STATE PARENT ...`; a name may hold anything.
fn parse(stat: &str) -> Option<(char, u32)> {
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read() {
        assert_eq!(parse("12 (a) b (c) S 7 12 12 0"), Some(('S', 7)));
        assert_eq!(parse("12"), None);
    }
}
