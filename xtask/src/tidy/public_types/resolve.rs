//! Where a name comes from: another crate, or an item or module of this one.

use std::slice;

use syn::{Ident, Item, Visibility};

use super::module_tree::{ModuleId, Tree, is_public};

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A module of this crate.
    Module(ModuleId),
    /// An item of this crate, by its module and name.
    Item(ModuleId, String),
    /// Something of another crate; the path begins with that crate's name.
    Foreign(Vec<String>),
    /// Something of this name or, where a glob of another crate stands in the module, of that crate.
    PerhapsForeign(Vec<String>),
    /// A primitive, a parameter, a name of the prelude, or what a macro makes.
    Unknown,
}

/// Which kind of names counts: `uuid` may be a function and a crate at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Types,
    All,
}

/// Imports may go in circles (`use super::*` both ways).
const DEEPEST: usize = 12;

/// Names that no glob of another crate brings: those of the standard prelude, and primitives.
const PRELUDE: &[&str] = &[
    "Self",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "Vec",
    "String",
    "Box",
    "ToString",
    "ToOwned",
    "Into",
    "From",
    "TryFrom",
    "TryInto",
    "FromIterator",
    "Iterator",
    "IntoIterator",
    "Extend",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "AsRef",
    "AsMut",
    "Default",
    "Clone",
    "Copy",
    "Send",
    "Sync",
    "Sized",
    "Unpin",
    "Drop",
    "Fn",
    "FnMut",
    "FnOnce",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Future",
    "IntoFuture",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Debug",
    "Hash",
    "bool",
    "char",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
];

impl Tree {
    /// What `path` means in module `from`; `absolute` for `::a::b`.
    pub(super) fn meaning(&self, from: ModuleId, path: &[String], absolute: bool, space: Space) -> Meaning {
        self.follow(from, path, absolute, space, 0)
    }

    fn follow(&self, from: ModuleId, path: &[String], absolute: bool, space: Space, depth: usize) -> Meaning {
        let Some((first, rest)) = path.split_first() else {
            return Meaning::Module(from);
        };
        if absolute {
            return Meaning::Foreign(path.to_vec());
        }
        let start = match first.as_str() {
            "crate" => Meaning::Module(0),
            "self" => Meaning::Module(from),
            "super" => self.modules()[from].parent.map_or(Meaning::Unknown, Meaning::Module),
            name => self.name_in_scope(from, name, if rest.is_empty() { space } else { Space::Types }, depth),
        };
        self.follow_rest(start, rest, space, depth)
    }

    fn follow_rest(&self, start: Meaning, rest: &[String], space: Space, depth: usize) -> Meaning {
        let Some((first, after)) = rest.split_first() else {
            return start;
        };
        match start {
            Meaning::Module(module) if first == "super" => {
                let parent = self.modules()[module].parent.map_or(Meaning::Unknown, Meaning::Module);
                self.follow_rest(parent, after, space, depth)
            }
            Meaning::Module(module) => {
                let next =
                    self.name_in_module(module, first, if after.is_empty() { space } else { Space::Types }, depth);
                self.follow_rest(next, after, space, depth)
            }
            Meaning::Foreign(mut path) => {
                path.extend_from_slice(rest);
                Meaning::Foreign(path)
            }
            other => other,
        }
    }

    /// A name as code in `module` sees it: its own names first, then other crates.
    fn name_in_scope(&self, module: ModuleId, name: &str, space: Space, depth: usize) -> Meaning {
        match self.name_in_module(module, name, space, depth) {
            Meaning::Unknown | Meaning::PerhapsForeign(_) if self.is_external(name) => {
                Meaning::Foreign(vec![name.to_owned()])
            }
            found => found,
        }
    }

    /// A name that `module` declares or imports.
    fn name_in_module(&self, module: ModuleId, name: &str, space: Space, depth: usize) -> Meaning {
        let here = &self.modules()[module];
        if let Some(child) = here.children.iter().find(|child| child.name == name) {
            return Meaning::Module(child.id);
        }
        if self.items_named(module, name).any(|item| space == Space::All || is_type(item)) {
            return Meaning::Item(module, name.to_owned());
        }
        if depth == DEEPEST {
            return Meaning::Unknown;
        }
        let mut otherwise = Meaning::Unknown;
        for import in
            here.imports.iter().filter(|import| import.name.as_deref().is_none_or(|imported| imported == name))
        {
            let is_crate = import.path.first().is_some_and(|first| {
                self.is_external(first) && !here.children.iter().any(|child| child.name == *first)
            });
            let target = self.follow(module, &import.path, import.absolute || is_crate, space, depth + 1);
            let found = match (import.name.is_some(), target) {
                (true, target) => target,
                (false, Meaning::Module(source)) => self.name_in_module(source, name, space, depth + 1),
                (false, Meaning::Foreign(mut path)) if !PRELUDE.contains(&name) => {
                    path.push(name.to_owned());
                    Meaning::PerhapsForeign(path)
                }
                (false, _) => Meaning::Unknown,
            };
            match found {
                Meaning::Unknown => {}
                Meaning::PerhapsForeign(_) => otherwise = found,
                found => return found,
            }
        }
        otherwise
    }

    /// All items of this name; several where `cfg` chooses among them.
    pub(super) fn items_named<'a>(&'a self, module: ModuleId, name: &'a str) -> impl Iterator<Item = &'a Item> {
        self.modules()[module].items.iter().filter(move |item| named(item).is_some_and(|(ident, _)| ident == name))
    }

    /// The names of the `pub` items of a module.
    pub(super) fn public_names(&self, module: ModuleId) -> impl Iterator<Item = String> {
        let items: slice::Iter<'_, Item> = self.modules()[module].items.iter();
        items.filter_map(named).filter(|(_, visibility)| is_public(visibility)).map(|(ident, _)| ident.to_string())
    }
}

fn named(item: &Item) -> Option<(&Ident, &Visibility)> {
    Some(match item {
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        Item::Static(item) => (&item.ident, &item.vis),
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        Item::Union(item) => (&item.ident, &item.vis),
        _ => return None,
    })
}

fn is_type(item: &Item) -> bool {
    matches!(item, Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Type(_) | Item::Union(_))
}
