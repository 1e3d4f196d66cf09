//! Where in a JSON document something is: the way from its root, as a JSON pointer (RFC 6901).

use std::fmt::Write;

/// What a walk through a document is accompanied by.
pub(super) trait Trail {
    /// On to the item of a list.
    fn item(&mut self, index: usize);
    /// On to the value of a key.
    fn key(&mut self, key: &str);
    /// A value begins here.
    fn arrive(&mut self);
    /// Back to where the last step began.
    fn back(&mut self);
}

/// Nothing is kept of the way.
pub(super) struct Untold;

impl Trail for Untold {
    fn item(&mut self, _: usize) {}
    fn key(&mut self, _: &str) {}
    fn arrive(&mut self) {}
    fn back(&mut self) {}
}

/// A JSON pointer that grows and shrinks with the way.
#[derive(Debug, Default)]
pub(crate) struct Pointer {
    text: String,
    steps: Vec<usize>,
}

impl Pointer {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl Trail for Pointer {
    fn item(&mut self, index: usize) {
        self.steps.push(self.text.len());
        push_item(&mut self.text, index);
    }

    fn key(&mut self, key: &str) {
        self.steps.push(self.text.len());
        push_key(&mut self.text, key);
    }

    fn arrive(&mut self) {}

    fn back(&mut self) {
        self.text.truncate(self.steps.pop().unwrap_or_default());
    }
}

/// Tells of each value where it is.
#[cfg(feature = "check")]
pub(super) struct Told<F> {
    way: Pointer,
    tell: F,
}

#[cfg(feature = "check")]
impl<F: FnMut(&str)> Told<F> {
    pub(super) fn new(tell: F) -> Self {
        Self { way: Pointer::default(), tell }
    }
}

#[cfg(feature = "check")]
impl<F: FnMut(&str)> Trail for Told<F> {
    fn item(&mut self, index: usize) {
        self.way.item(index);
    }

    fn key(&mut self, key: &str) {
        self.way.key(key);
    }

    fn arrive(&mut self) {
        (self.tell)(self.way.as_str());
    }

    fn back(&mut self) {
        self.way.back();
    }
}

/// Appends the step to an item.
pub(crate) fn push_item(pointer: &mut String, index: usize) {
    // Writing to a text cannot fail.
    let _ = write!(pointer, "/{index}");
}

/// Appends the step to the value of a key.
pub(crate) fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
