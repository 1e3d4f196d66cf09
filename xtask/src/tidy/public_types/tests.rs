//! The checker of public types on small crates.

use std::collections::{BTreeMap, BTreeSet};

use super::{check_crate, policy::Policy};

/// `file:line` of each finding of a crate with these files.
fn places(files: &[(&str, &str)]) -> Vec<String> {
    let sources: BTreeMap<String, String> =
        files.iter().map(|(file, text)| (format!("src/{file}"), (*text).to_owned())).collect();
    let externals =
        ["diesel", "schemars", "serde", "serde_json", "tokio", "uuid", "futures_core", "thiserror", "lucihub_hot"];
    let externals: BTreeSet<String> = externals.map(str::to_owned).into();
    let policy = Policy::new(BTreeSet::from(["lucihub_hot".to_owned()]));
    let findings = check_crate("src/lib.rs", &|path| sources.get(path).cloned(), externals, &policy);
    let places: BTreeSet<_> = findings
        .iter()
        .map(|finding| format!("{}:{}", finding.path.trim_start_matches("src/"), finding.line))
        .collect();
    places.into_iter().collect()
}

#[track_caller]
fn finds(source: &str) {
    assert_eq!(places(&[("lib.rs", source)]).len(), 1, "{source}");
}

#[track_caller]
fn passes(source: &str) {
    assert_eq!(places(&[("lib.rs", source)]), Vec::<String>::new(), "{source}");
}

#[test]
fn every_kind_of_signature_is_looked_at() {
    finds("pub fn f(c: diesel::Connection) {}");
    finds("pub fn f() -> Result<(), Box<diesel::Error>> { g() }");
    finds("pub fn f<T: tokio::io::AsyncRead>(t: T) {}");
    finds("pub fn f<T>(t: T) where T: tokio::io::AsyncRead {}");
    finds("pub fn f(t: impl tokio::io::AsyncRead) {}");
    finds("pub struct S { pub a: Vec<[diesel::Error; 2]> }");
    finds("pub struct S(pub &'static dyn diesel::Connection);");
    finds("pub enum E { A { source: diesel::Error } }");
    finds("pub trait T { type A: diesel::Connection; }");
    finds("pub trait T: diesel::Connection {}");
    finds("pub trait T { fn f(&self) -> tokio::task::JoinHandle<()>; }");
    finds("pub type A = diesel::Error;");
    finds("pub const A: Option<diesel::Error> = None;");
    finds("pub static A: tokio::sync::Mutex<u8> = x();");
    finds("pub union U { pub a: diesel::A }");
    finds("pub use diesel::Connection;");
    finds("pub use diesel::prelude::*;");
    finds("pub use tokio;");
    finds("pub fn f(c: ::diesel::Connection) {}");
}

#[test]
fn implementations_on_public_types_are_looked_at() {
    finds("pub struct S; impl S { pub fn f(&self, c: diesel::C) {} }");
    finds("pub struct S; impl diesel::Queryable for S {}");
    finds("pub struct S; impl From<diesel::Error> for S { fn from(e: diesel::Error) -> S { S } }");
    finds("pub struct S; impl From<S> for diesel::Error { fn from(e: S) -> Self { x() } }");
    finds("pub struct S; impl TryFrom<u8> for S { type Error = diesel::Error; }");
    finds("pub trait T {} impl T for diesel::Connection {}");
    finds("#[derive(Debug, diesel::Queryable)] pub struct S;");
    finds("use diesel::Queryable; #[derive(Queryable)] pub enum S { A }");
}

#[test]
fn what_is_not_public_may_hold_anything() {
    passes("pub(crate) fn f(c: diesel::Connection) {} fn g(c: diesel::Connection) {}");
    passes("pub struct S { a: diesel::C, pub(crate) b: diesel::C }");
    passes("pub struct S; impl S { pub(crate) fn f(c: diesel::C) {} fn g(c: diesel::C) {} }");
    passes("struct P; impl P { pub fn f(c: diesel::C) {} } impl From<diesel::Error> for P {}");
    passes("trait Row<T> {} pub struct S; impl Row<diesel::Pg> for S {}");
    passes("pub fn f() { let c: diesel::Connection = x(); }");
    passes("pub trait T { fn f(&self) { diesel::x(); } }");
    passes("#[cfg(test)] pub fn f(c: diesel::C) {} #[cfg(all(test, unix))] pub mod m {}");
    passes("pub(crate) use diesel::Connection;");
}

#[test]
fn permitted_crates_pass() {
    passes(
        "pub fn f<T: serde::Serialize>(a: uuid::Uuid, s: std::pin::Pin<Box<dyn futures_core::Stream<Item = T>>>) {}",
    );
    passes("use futures_core::stream::BoxStream; pub fn f() -> BoxStream<'static, u8> { x() }");
    passes("pub use lucihub_hot as hot; pub fn f(a: lucihub_hot::A) {}");
    passes(
        "#[derive(Clone, thiserror::Error)] pub struct E; impl From<serde_json::Error> for E {} impl schemars::JsonSchema for E {}",
    );
    passes("pub trait Model {} impl Model for serde_json::Value {}");
}

#[test]
fn what_is_permitted_in_implementations_is_not_in_signatures() {
    finds("pub fn f(v: serde_json::Value) {}");
    finds("pub struct S(pub schemars::Schema);");
    finds("pub fn f<S: futures_core::TryStream>(s: S) {}");
    finds("pub struct S(pub thiserror::X);");
}

#[test]
fn names_are_followed_through_imports_and_aliases() {
    finds("use diesel::Connection as C; pub fn f(c: C) {}");
    finds("use diesel::{self, pg}; pub fn f(c: pg::C) {}");
    finds("use tokio::sync; pub fn f(c: sync::Mutex<u8>) {}");
    finds("type Private = diesel::Connection; pub fn f(c: &Private) {}");
    finds("use diesel::prelude::*; pub fn f(c: SqliteConnection) {}");
    finds("mod m { pub(crate) use diesel::Connection; } pub fn f(c: m::Connection) {}");
    finds("mod m { pub(crate) use diesel::Connection; } use m::*; pub fn f(c: Connection) {}");
    passes("use diesel::Connection; pub struct Mine; pub fn f(c: Mine) {}");
    passes("use diesel::prelude::*; pub struct Mine; pub fn f<T>(c: Mine, t: T, o: Option<u8>) {}");
    passes(
        "mod a { use super::*; } mod b { use super::*; pub(crate) use super::a::*; } use b::*; pub fn f(x: Unknown) {}",
    );
}

#[test]
fn our_own_module_hides_a_crate_of_its_name() {
    passes("pub mod tokio { pub struct Mutex; } pub fn f(m: tokio::Mutex) {}");
}

#[test]
fn private_modules_are_public_only_through_re_exports() {
    let module = ("rows.rs", "pub fn a(c: diesel::C) {}\n\npub struct B(pub diesel::C);\n");
    assert_eq!(places(&[("lib.rs", "mod rows;"), module]), Vec::<String>::new());
    assert_eq!(places(&[("lib.rs", "pub(crate) mod rows;"), module]), Vec::<String>::new());
    assert_eq!(places(&[("lib.rs", "mod rows; pub use rows::a;"), module]), ["rows.rs:1"]);
    assert_eq!(places(&[("lib.rs", "mod rows; pub use self::rows::{B as Other};"), module]), ["rows.rs:3"]);
    assert_eq!(places(&[("lib.rs", "mod rows; pub use crate::rows::*;"), module]), ["rows.rs:1", "rows.rs:3"]);
    assert_eq!(places(&[("lib.rs", "pub mod rows;"), module]), ["rows.rs:1", "rows.rs:3"]);
    assert_eq!(places(&[("lib.rs", "mod rows; pub mod api { pub use super::rows::a; }"), module]), ["rows.rs:1"]);
    assert_eq!(places(&[("lib.rs", "mod rows; mod api { pub use super::rows::a; }"), module]), Vec::<String>::new());
    assert_eq!(
        places(&[("lib.rs", "mod rows; mod api { pub use super::rows::a; } pub use api::a;"), module]),
        ["rows.rs:1"]
    );
}

#[test]
fn an_implementation_may_stand_in_another_module() {
    let files = [("lib.rs", "pub struct S; mod m;"), ("m.rs", "use crate::S;\nimpl S { pub fn f(c: diesel::C) {} }\n")];
    assert_eq!(places(&files), ["m.rs:2"]);
}

#[test]
fn nested_files_are_followed_and_missing_ones_found() {
    let deep = ("a/b/c.rs", "pub fn f(c: diesel::C) {}");
    assert_eq!(places(&[("lib.rs", "pub mod a;"), ("a/mod.rs", "pub mod b { pub mod c; }"), deep]), ["a/b/c.rs:1"]);
    assert_eq!(
        places(&[("lib.rs", "pub mod a;"), ("a.rs", "pub mod b;"), ("a/b.rs", "pub mod c;"), deep]),
        ["a/b/c.rs:1"]
    );
    assert_eq!(places(&[("lib.rs", "pub mod a;")]), ["a.rs:0"]);
    assert_eq!(places(&[("lib.rs", "pub fn (")]).len(), 1);
    assert_eq!(places(&[("lib.rs", "#[path = \"x.rs\"]\nmod a;")]), ["lib.rs:2"]);
}
