//! What a node of a cluster knows of all nodes: the answer to `CLUSTER NODES`.

/// The nodes, as one of them sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nodes(Vec<Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) port: u16,
    /// The id of its master.
    pub(super) replica_of: Option<String>,
    /// First and last of each range that it serves.
    pub(super) slots: Vec<(u16, u16)>,
}

/// A node's port, the port of its master, and what it serves.
type Role<'a> = (u16, Option<u16>, &'a [(u16, u16)]);

impl Nodes {
    /// Reads lines of `id ip:port@busport flags master ping pong epoch link slot...`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let nodes = text.lines().map(|line| Node::parse(line).ok_or_else(|| format!("no node of a cluster: {line}")));
        nodes.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.0.iter()
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Node> {
        self.iter().find(|node| node.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot)))
    }

    /// What each node is, to compare what two nodes know.
    pub(super) fn roles(&self) -> Vec<Role<'_>> {
        let port = |id: &String| self.iter().find(|node| node.id == *id).map(|node| node.port);
        let mut roles: Vec<_> = self
            .iter()
            .map(|node| (node.port, node.replica_of.as_ref().and_then(port), node.slots.as_slice()))
            .collect();
        roles.sort_unstable();
        roles
    }
}

impl Node {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, address, _flags, master, _ping, _pong, _epoch, _link, slots @ ..] = words.as_slice() else {
            return None;
        };
        let port = address.split_once('@')?.0.rsplit_once(':')?.1.parse().ok()?;
        // `[slot->-id]` is one that moves; it is in its owner's ranges too.
        let slots = slots.iter().filter(|word| !word.starts_with('[')).map(|word| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        Some(Self {
            id: (*id).to_owned(),
            port,
            replica_of: (*master != "-").then(|| (*master).to_owned()),
            slots: slots.collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let nodes = Nodes::parse(
            "aa 127.0.0.1:30001@40001 myself,master - 0 1426238317239 4 connected 0-5460 5470 [93->-bb]\n\
             bb 127.0.0.1:30002@40002,host slave aa 0 1426238316232 2 connected",
        )
        .expect("two nodes");
        let [master, replica] = nodes.0.as_slice() else { panic!("{nodes:?}") };
        assert_eq!((master.port, &master.replica_of), (30001, &None));
        assert_eq!((replica.port, &replica.replica_of), (30002, &Some("aa".to_owned())));
        assert_eq!(nodes.roles(), [(30001, None, [(0, 5460), (5470, 5470)].as_slice()), (30002, Some(30001), &[])]);
        assert_eq!(nodes.owner(5470), Some(master));
        assert_eq!(nodes.owner(5461), None);
        assert!(Nodes::parse("ERR This instance has cluster support disabled").is_err());
    }
}
