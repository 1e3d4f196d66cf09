//! Reading samples.

use std::ops::Range;

use async_trait::async_trait;
use lucihub_models_core::hot::HotSamples;
use lucihub_models_core::{Result, RunId, Series};

use super::RedisHot;
use super::block::read_samples;

#[async_trait]
impl HotSamples for RedisHot {
    async fn window(&self, run: RunId, channel: u32, range: Range<u64>) -> Result<Option<Series>> {
        let this = self.clone();
        let key = (run, channel, range.start, range.end);
        let read = move || async move {
            let stream = this.keys.run(run).samples(channel);
            let begin = Series::starting_at;
            this.read_range(run, &channel.to_string(), stream, range, begin, |series, end, block, part| {
                read_samples(run, channel, end, block, part, series)
            })
            .await
        };
        self.sample_reads.join(key, read).await
    }
}
