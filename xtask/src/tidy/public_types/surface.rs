//! The public surface of a crate: every item that a user can name, and the implementations on it.

use std::collections::BTreeSet;

use syn::{GenericArgument, Item, ItemImpl, Path, PathArguments, Type};

use super::{
    super::Finding,
    module_tree::{ModuleId, Tree},
    policy::{Place, Policy},
    resolve::{Meaning, Space},
    signature::{Inspector, segments},
};

/// Findings in the signatures of all public items.
pub(super) fn check(tree: &Tree, policy: &Policy) -> Vec<Finding> {
    let mut surface = Surface { tree, policy, modules: BTreeSet::new(), items: BTreeSet::new(), findings: Vec::new() };
    surface.publish_module(0);
    for (module, name) in surface.items.clone() {
        for item in tree.items_named(module, &name) {
            let mut inspector = Inspector::new(tree, policy, module);
            inspector.item(item);
            surface.findings.extend(inspector.into_findings());
        }
    }
    for module in 0..tree.modules().len() {
        for item in &tree.modules()[module].items {
            if let Item::Impl(block) = item {
                surface.implementation(module, block);
            }
        }
    }
    surface.findings
}

/// What has been reached from the root.
struct Surface<'a> {
    tree: &'a Tree,
    policy: &'a Policy,
    modules: BTreeSet<ModuleId>,
    items: BTreeSet<(ModuleId, String)>,
    findings: Vec<Finding>,
}

impl Surface<'_> {
    /// Everything `pub` in a module that users can name, or that a glob re-exports.
    fn publish_module(&mut self, module: ModuleId) {
        if !self.modules.insert(module) {
            return;
        }
        let tree = self.tree;
        self.items.extend(tree.public_names(module).map(|name| (module, name)));
        for child in tree.modules()[module].children.iter().filter(|child| child.public) {
            self.publish_module(child.id);
        }
        for import in tree.modules()[module].imports.iter().filter(|import| import.public) {
            match tree.meaning(module, &import.path, import.absolute, Space::All) {
                Meaning::Module(target) => self.publish_module(target),
                Meaning::Item(home, name) => {
                    self.items.insert((home, name));
                }
                Meaning::Foreign(path) | Meaning::PerhapsForeign(path) => {
                    if !self.policy.permits(&path, Place::Signature) {
                        let file = &tree.modules()[module].file;
                        self.findings.push(Finding::at(file, import.line, Policy::objection(&path, Place::Signature)));
                    }
                }
                Meaning::Unknown => {}
            }
        }
    }

    /// An implementation is public where its type, its trait, or one of the trait's arguments is public, and its trait is not private.
    fn implementation(&mut self, module: ModuleId, block: &ItemImpl) {
        let mut inspector = Inspector::new(self.tree, self.policy, module);
        match &block.trait_ {
            None if self.reach(module, &block.self_ty) == Reach::Public => {
                inspector.inherent(block);
            }
            None => {}
            Some((implemented, _)) => {
                let of = self.reach_of_path(module, implemented);
                let concerns_us = || {
                    self.reach(module, &block.self_ty) == Reach::Public
                        || arguments(implemented).any(|ty| self.reach(module, ty) == Reach::Public)
                };
                if of == Reach::Public || (of == Reach::Foreign && concerns_us()) {
                    inspector.implementation(block, implemented);
                }
            }
        }
        self.findings.extend(inspector.into_findings());
    }

    fn reach(&self, module: ModuleId, ty: &Type) -> Reach {
        match ty {
            Type::Path(ty) => self.reach_of_path(module, &ty.path),
            Type::Reference(reference) => self.reach(module, &reference.elem),
            _ => Reach::Foreign,
        }
    }

    fn reach_of_path(&self, module: ModuleId, path: &Path) -> Reach {
        let (names, absolute) = segments(path);
        match self.tree.meaning(module, &names, absolute, Space::Types) {
            Meaning::Item(home, name) if self.items.contains(&(home, name.clone())) => Reach::Public,
            Meaning::Item(..) => Reach::Private,
            Meaning::Module(_) | Meaning::Foreign(_) | Meaning::PerhapsForeign(_) | Meaning::Unknown => Reach::Foreign,
        }
    }
}

/// Who can name a type or trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Ours, and users can name it.
    Public,
    /// Ours alone.
    Private,
    /// Not ours.
    Foreign,
}

/// The types in `Trait<...>`.
fn arguments(path: &Path) -> impl Iterator<Item = &Type> {
    let arguments = path.segments.last().and_then(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    });
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
