//! Checking inputs: of a new run against its device's parameter schema, and of stored runs against a new one.

use lucihub_models_core::{
    DeviceId, Order, PageRequest, ParameterSchema, Result, RunFilter, RunHead, RunId, StoreError, Violations,
};

use crate::store::Store;

/// Runs that one page of a recheck names.
const PAGE: usize = 200;

/// What became of checking the input of a new run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checked {
    /// It is valid; the run says against which schema.
    Valid,
    /// It is not.
    Broken(Violations),
    /// There is nothing to check, or nothing to check it against: no input, no device, or no schema of the device.
    Unchecked,
}

/// What checking stored inputs came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rechecked {
    /// Inputs that are valid.
    pub valid: u64,
    /// Inputs that are not.
    pub broken: u64,
    /// Runs that have no input.
    pub without: u64,
}

impl Store {
    /// The parameter schema of a device. `None` if the device has none, or is not in the registry.
    ///
    /// # Errors
    /// `Invalid` if the stored one is no parameter schema; others when cold storage cannot be read.
    pub async fn parameter_schema(&self, device: &DeviceId) -> Result<Option<ParameterSchema>> {
        let stored = self.device(device).await?.and_then(|device| device.parameter_schema);
        Ok(stored.as_ref().map(ParameterSchema::parse).transpose()?)
    }

    /// Checks the input of a run that is to be created against the schema of its device. A valid one gets the id of that
    /// schema; then [`create`](Self::create) it.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "sqlite"))]
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use lucihub_store::{Store, Urls};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let store = Store::open(&Urls::new("memory:", format!("sqlite:{}", dir.path().join("a").display()))).await?;
    /// use lucihub_models_core::JobType;
    /// use lucihub_store::Checked;
    /// let mut head = store.new_run(JobType::Run);
    /// head.device = Some("lucidac-1".parse()?);
    /// head.input = Some("{}".parse()?);
    /// match store.check_input(&mut head).await? {
    ///     Checked::Broken(violations) => return Err(violations.into()),
    ///     _ => store.create(&head).await?,
    /// };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`parameter_schema`](Self::parameter_schema).
    pub async fn check_input(&self, head: &mut RunHead) -> Result<Checked> {
        let (Some(device), Some(input)) = (&head.device, &head.input) else { return Ok(Checked::Unchecked) };
        let Some(schema) = self.parameter_schema(device).await? else { return Ok(Checked::Unchecked) };
        if let Err(violations) = schema.check(input) {
            return Ok(Checked::Broken(violations));
        }
        head.parameter_schema = Some(schema.id().to_owned());
        Ok(Checked::Valid)
    }

    /// Checks the stored inputs of all runs that a filter finds against a schema, oldest first, one after another: before
    /// a device gets it. Nothing is written. `broken` sees each run whose input is not valid.
    ///
    /// # Errors
    /// `Invalid` for a filter past a limit; others when cold storage cannot be read.
    pub async fn recheck(
        &self,
        filter: &RunFilter,
        schema: &ParameterSchema,
        mut broken: impl FnMut(RunId, &Violations),
    ) -> Result<Rechecked> {
        let mut counts = Rechecked::default();
        let mut after = None;
        loop {
            let page = PageRequest { order: Order::Oldest, limit: PAGE, after, ..PageRequest::default() };
            let page = self.list(filter, &page).await?;
            for run in page.runs {
                let head = match self.cold().get(run.id).await {
                    Ok(Some(cold)) => cold.head,
                    // Deleted since the page was read.
                    Ok(None) | Err(StoreError::NotFound { .. }) => continue,
                    Err(error) => return Err(error),
                };
                match head.input.as_ref().map(|input| schema.check(input)) {
                    None => counts.without += 1,
                    Some(Ok(())) => counts.valid += 1,
                    Some(Err(violations)) => {
                        counts.broken += 1;
                        broken(run.id, &violations);
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(counts);
            }
        }
    }
}
