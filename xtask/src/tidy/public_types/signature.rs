//! Looks at every path in the signature of one item. Bodies, private fields and attributes other than `derive` are not signatures.

use syn::{
    Attribute, Block, Expr, Fields, Generics, ImplItem, Item, ItemImpl, Pat, Path, Token, Visibility,
    punctuated::Punctuated,
    visit::{self, Visit},
};

use super::{
    super::Finding,
    module_tree::{ModuleId, Tree, is_public},
    policy::{Place, Policy},
    resolve::{Meaning, Space},
};

/// The segments of a path without their arguments, and whether it begins with `::`.
pub(super) fn segments(path: &Path) -> (Vec<String>, bool) {
    (path.segments.iter().map(|segment| segment.ident.to_string()).collect(), path.leading_colon.is_some())
}

/// Aliases of aliases may go in circles in code that does not compile.
const DEEPEST: usize = 8;

/// Looks at items of one module.
pub(super) struct Inspector<'a> {
    tree: &'a Tree,
    policy: &'a Policy,
    module: ModuleId,
    place: Place,
    parameters: Vec<String>,
    depth: usize,
    findings: Vec<Finding>,
}

impl<'a> Inspector<'a> {
    pub(super) fn new(tree: &'a Tree, policy: &'a Policy, module: ModuleId) -> Self {
        Self { tree, policy, module, place: Place::Signature, parameters: Vec::new(), depth: 0, findings: Vec::new() }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// An item that is public.
    pub(super) fn item(&mut self, item: &'a Item) {
        match item {
            Item::Const(item) => self.visit_type(&item.ty),
            Item::Static(item) => self.visit_type(&item.ty),
            Item::Fn(item) => self.visit_signature(&item.sig),
            Item::Trait(item) => self.visit_item_trait(item),
            Item::Type(item) => {
                self.visit_generics(&item.generics);
                self.visit_type(&item.ty);
            }
            Item::Struct(item) => {
                self.derives(&item.attrs);
                self.visit_generics(&item.generics);
                self.public_fields(&item.fields);
            }
            Item::Union(item) => {
                self.derives(&item.attrs);
                self.visit_generics(&item.generics);
                item.fields
                    .named
                    .iter()
                    .filter(|field| is_public(&field.vis))
                    .for_each(|field| self.visit_type(&field.ty));
            }
            Item::Enum(item) => {
                self.derives(&item.attrs);
                self.visit_generics(&item.generics);
                item.variants.iter().flat_map(|variant| &variant.fields).for_each(|field| self.visit_type(&field.ty));
            }
            _ => {}
        }
    }

    /// The public functions and constants of an `impl` block on a public type.
    pub(super) fn inherent(&mut self, block: &'a ItemImpl) {
        self.visit_generics(&block.generics);
        self.visit_type(&block.self_ty);
        for item in &block.items {
            match item {
                ImplItem::Fn(item) if is_public(&item.vis) => self.visit_signature(&item.sig),
                ImplItem::Const(item) if is_public(&item.vis) => self.visit_type(&item.ty),
                _ => {}
            }
        }
    }

    /// What an implementation of `implemented` brings into the surface: the trait, its arguments, the type, associated types.
    pub(super) fn implementation(&mut self, block: &'a ItemImpl, implemented: &'a Path) {
        self.visit_generics(&block.generics);
        self.at(Place::Impl, |inspector| {
            inspector.visit_path(implemented);
            inspector.visit_type(&block.self_ty);
        });
        for item in &block.items {
            if let ImplItem::Type(item) = item {
                self.visit_type(&item.ty);
            }
        }
    }

    fn public_fields(&mut self, fields: &'a Fields) {
        fields.iter().filter(|field| is_public(&field.vis)).for_each(|field| self.visit_type(&field.ty));
    }

    fn derives(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let paths = attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).unwrap_or_default();
            self.at(Place::Derive, |inspector| {
                paths.iter().for_each(|path| inspector.path(path));
            });
        }
    }

    fn at(&mut self, place: Place, look: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.place, place);
        look(self);
        self.place = before;
    }

    fn path(&mut self, path: &Path) {
        let (names, absolute) = segments(path);
        if names.first().is_some_and(|first| self.parameters.contains(first)) {
            return;
        }
        match self.tree.meaning(self.module, &names, absolute, Space::Types) {
            Meaning::Foreign(found) | Meaning::PerhapsForeign(found) => {
                if !self.policy.permits(&found, self.place) {
                    let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
                    let file = &self.tree.modules()[self.module].file;
                    self.findings.push(Finding::at(file, line, Policy::objection(&found, self.place)));
                }
            }
            Meaning::Item(home, name) => self.alias(home, &name, path),
            Meaning::Module(_) | Meaning::Unknown => {}
        }
    }

    /// A type alias stands for its target, even where the alias itself is private. The place to name is where it is used.
    fn alias(&mut self, home: ModuleId, name: &str, path: &Path) {
        if self.depth == DEEPEST {
            return;
        }
        for item in self.tree.items_named(home, name) {
            if let Item::Type(alias) = item {
                let mut inside = Inspector::new(self.tree, self.policy, home);
                inside.place = self.place;
                inside.depth = self.depth + 1;
                inside.visit_generics(&alias.generics);
                inside.visit_type(&alias.ty);
                let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
                let file = &self.tree.modules()[self.module].file;
                let through =
                    |finding: Finding| Finding::at(file, line, format!("through `{name}`: {}", finding.message));
                self.findings.extend(inside.findings.into_iter().map(through));
            }
        }
    }
}

impl<'a> Visit<'a> for Inspector<'a> {
    fn visit_path(&mut self, path: &'a Path) {
        self.path(path);
        visit::visit_path(self, path);
    }

    fn visit_generics(&mut self, generics: &'a Generics) {
        self.parameters.extend(generics.type_params().map(|parameter| parameter.ident.to_string()));
        visit::visit_generics(self, generics);
    }

    fn visit_attribute(&mut self, _: &'a Attribute) {}
    fn visit_block(&mut self, _: &'a Block) {}
    fn visit_expr(&mut self, _: &'a Expr) {}
    fn visit_pat(&mut self, _: &'a Pat) {}
    fn visit_visibility(&mut self, _: &'a Visibility) {}
}
