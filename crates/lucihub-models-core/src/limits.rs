//! Limits on what one request may bring, checked before anything is written.

/// How large things may be. Configurable; the defaults are the documented
/// limits.
///
/// ```
/// use lucihub_models_core::Limits;
/// let limits = Limits::default().with_json_bytes(64 * 1024);
/// assert_eq!(limits.json_depth, 64);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one JSON document (input, output, parameter schema).
    pub json_bytes: usize,
    /// Nesting depth of one JSON document.
    pub json_depth: usize,
    /// Bytes of one log line. The recorder cuts longer ones.
    pub line_bytes: usize,
    /// Bytes of one batch, as [`Batch::size`](crate::Batch::size) counts.
    pub batch_bytes: usize,
    /// Channels of one run. Zero channels are allowed.
    pub channels: usize,
    /// Labels of one run.
    pub labels: usize,
    /// Bytes of the name of a label. Labels stand in the indexes of databases, as words do.
    pub label_name_bytes: usize,
    /// Bytes of the value of a label.
    pub label_value_bytes: usize,
    /// Bytes of one short text: name, unit, reason, error.
    pub text_bytes: usize,
    /// Bytes of one word that runs are filtered by: owner, state, type of job, kind of device. Databases keep these in
    /// their indexes, whose entries are small.
    pub word_bytes: usize,
    /// Bytes of the unknown fields of one part of a document, as JSON.
    pub extra_bytes: usize,
    /// Items of one page.
    pub page: usize,
    /// Items of all fields of a filter together: each may be a walk of its own.
    pub filter_items: usize,
    /// Items that a page may pass over, where it does not begin at a cursor.
    pub offset: usize,
    /// Entries of a list in a run's head: states, phases, overloads, final values, relations, each.
    pub head_entries: usize,
    /// Samples that one jump of the sample index may skip.
    pub gap: u64,
    /// Samples of one channel.
    pub samples: u64,
    /// Bytes of a device's entity.
    pub entity_bytes: usize,
    /// Bytes of one attachment.
    pub attachment_bytes: usize,
    /// Attachments of one run or device.
    pub attachments: usize,
    /// Bytes of one attachment that goes through hot storage.
    pub hot_attachment_bytes: usize,
    /// Bytes of all attachments of one run in hot storage together.
    pub hot_attachments_bytes: usize,
    /// Bytes of one store event, as JSON.
    pub event_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_bytes: 1024 * 1024,
            json_depth: 64,
            line_bytes: 64 * 1024,
            batch_bytes: 2 * 1024 * 1024,
            channels: 4096,
            labels: 64,
            label_name_bytes: 128,
            label_value_bytes: 1024,
            text_bytes: 4096,
            word_bytes: 256,
            extra_bytes: 64 * 1024,
            page: 1000,
            filter_items: 4096,
            offset: 100_000,
            head_entries: 16_384,
            gap: 1 << 26,
            samples: 1 << 40,
            entity_bytes: 64 * 1024,
            attachment_bytes: 64 * 1024 * 1024,
            attachments: 64,
            hot_attachment_bytes: 1024 * 1024,
            hot_attachments_bytes: 8 * 1024 * 1024,
            event_bytes: 4096,
        }
    }
}

impl Limits {
    /// Sets the bytes of one JSON document.
    #[must_use]
    pub const fn with_json_bytes(mut self, bytes: usize) -> Self {
        self.json_bytes = bytes;
        self
    }

    /// Sets the bytes of one batch.
    #[must_use]
    pub const fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Sets the bytes of one log line.
    #[must_use]
    pub const fn with_line_bytes(mut self, bytes: usize) -> Self {
        self.line_bytes = bytes;
        self
    }

    /// Sets the channels of one run.
    #[must_use]
    pub const fn with_channels(mut self, channels: usize) -> Self {
        self.channels = channels;
        self
    }

    /// Sets the bytes of one attachment.
    #[must_use]
    pub const fn with_attachment_bytes(mut self, bytes: usize) -> Self {
        self.attachment_bytes = bytes;
        self
    }
}
