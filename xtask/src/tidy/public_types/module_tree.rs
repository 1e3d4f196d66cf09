//! The modules of one crate: their items, imports, children, read from `lib.rs` on.

use std::collections::BTreeSet;

use syn::{Attribute, Item, Meta, Token, UseTree, Visibility, punctuated::Punctuated};

use super::super::Finding;

/// Index of a module in its [`Tree`]; the root is 0.
pub(super) type ModuleId = usize;

/// One name that a `use` brings into a module.
#[derive(Debug)]
pub(super) struct Import {
    /// `None` for a glob.
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
    /// `use ::a::b`.
    pub(super) absolute: bool,
    pub(super) public: bool,
    pub(super) line: usize,
}

/// A module inside another.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) id: ModuleId,
    pub(super) public: bool,
}

/// One module. Items of tests, imports and modules are not among `items`.
pub(super) struct Module {
    pub(super) file: String,
    pub(super) parent: Option<ModuleId>,
    pub(super) items: Vec<Item>,
    pub(super) imports: Vec<Import>,
    pub(super) children: Vec<Child>,
}

/// All modules of one crate.
pub(super) struct Tree {
    modules: Vec<Module>,
    externals: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Tree {
    /// Reads the crate whose root file is `root`. Other crates are known by the names in `externals`.
    pub(super) fn read(root: &str, read: &dyn Fn(&str) -> Option<String>, externals: BTreeSet<String>) -> Self {
        let mut tree = Self { modules: Vec::new(), externals, findings: Vec::new() };
        let directory = root.rsplit_once('/').map_or("", |(directory, _)| directory);
        tree.add_file(root, directory, None, read);
        tree
    }

    /// Modules by their [`ModuleId`].
    pub(super) fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// Whether `name` is another crate.
    pub(super) fn is_external(&self, name: &str) -> bool {
        ["std", "core", "alloc"].contains(&name) || self.externals.contains(name)
    }

    /// Files that cannot be followed.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// `directory` is where the module's own children have their files.
    fn add_file(
        &mut self,
        file: &str,
        directory: &str,
        parent: Option<ModuleId>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> ModuleId {
        let items = match read(file).map(|text| syn::parse_file(&text)) {
            Some(Ok(parsed)) => parsed.items,
            Some(Err(error)) => {
                self.findings.push(Finding::at(file, error.span().start().line, format!("cannot be parsed: {error}")));
                Vec::new()
            }
            None => {
                self.findings
                    .push(Finding::file(file, "is named by a `mod` and does not exist; write it or remove the `mod`"));
                Vec::new()
            }
        };
        self.add_module(file, directory, parent, items, read)
    }

    fn add_module(
        &mut self,
        file: &str,
        directory: &str,
        parent: Option<ModuleId>,
        items: Vec<Item>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> ModuleId {
        let id = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            items: Vec::new(),
            imports: Vec::new(),
            children: Vec::new(),
        });
        for item in items {
            match item {
                Item::Mod(module) if !is_test(&module.attrs) => {
                    let name = module.ident.to_string();
                    if module.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
                        let line = module.ident.span().start().line;
                        self.findings.push(Finding::at(
                            file,
                            line,
                            "`#[path]` cannot be followed; name the file after the module",
                        ));
                        continue;
                    }
                    let directory_below = format!("{directory}/{name}");
                    let child = match module.content {
                        Some((_, items)) => self.add_module(file, &directory_below, Some(id), items, read),
                        None => {
                            let flat = format!("{directory_below}.rs");
                            let nested = format!("{directory_below}/mod.rs");
                            let path = if read(&flat).is_none() && read(&nested).is_some() { nested } else { flat };
                            self.add_file(&path, &directory_below, Some(id), read)
                        }
                    };
                    self.modules[id].children.push(Child { name, id: child, public: is_public(&module.vis) });
                }
                Item::Use(import) if !is_test(&import.attrs) => {
                    let flat = Flat { absolute: import.leading_colon.is_some(), public: is_public(&import.vis) };
                    flat.collect(&import.tree, &mut Vec::new(), &mut self.modules[id].imports);
                }
                Item::Mod(_) | Item::Use(_) => {}
                item if attributes(&item).is_some_and(is_test) => {}
                item => self.modules[id].items.push(item),
            }
        }
        id
    }
}

/// What all names of one `use` have in common.
struct Flat {
    absolute: bool,
    public: bool,
}

impl Flat {
    fn collect(&self, tree: &UseTree, prefix: &mut Vec<String>, imports: &mut Vec<Import>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.collect(&path.tree, prefix, imports);
                prefix.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.collect(tree, prefix, imports)),
            UseTree::Name(name) => imports.push(self.import(prefix, &name.ident, &name.ident)),
            UseTree::Rename(rename) => {
                imports.push(self.import(prefix, &rename.ident, &rename.rename));
            }
            UseTree::Glob(glob) => imports.push(Import {
                name: None,
                path: prefix.clone(),
                absolute: self.absolute,
                public: self.public,
                line: glob.star_token.spans[0].start().line,
            }),
        }
    }

    /// `a::{self}` names `a`.
    fn import(&self, prefix: &[String], ident: &syn::Ident, name: &syn::Ident) -> Import {
        let mut path = prefix.to_vec();
        let is_self = ident == "self" && !path.is_empty();
        if !is_self {
            path.push(ident.to_string());
        }
        let name = if is_self && name == "self" { path.last().cloned() } else { Some(name.to_string()) };
        Import { name, path, absolute: self.absolute, public: self.public, line: ident.span().start().line }
    }
}

pub(super) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item exists in tests alone: `#[cfg(test)]`, `#[cfg(all(test, ...))]`.
fn is_test(attributes: &[Attribute]) -> bool {
    fn needs_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .is_ok_and(|metas| metas.iter().any(needs_test)),
            Meta::List(_) | Meta::NameValue(_) => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|meta| needs_test(&meta))
    })
}

/// The attributes of those items that can be public or make something public.
fn attributes(item: &Item) -> Option<&[Attribute]> {
    Some(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        _ => return None,
    })
}
