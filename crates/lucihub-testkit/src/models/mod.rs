//! Builders of models: everything a test needs in one line, and the same each time.

mod batches;
mod devices;
mod events;
mod heads;
mod signals;

pub use batches::{batch_of_samples, ending_in, gap_in, lines, lines_body, samples_body, state_body};
pub use devices::{device, device_id, device_seen};
pub use events::store_event;
pub use heads::{lorenz_head, run_head, run_id};
pub use signals::{ADC_LSB, adc_series, sample_value};
