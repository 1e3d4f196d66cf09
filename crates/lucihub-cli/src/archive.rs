//! `lucihub archive`: a keeper, for one walk or until it is asked to stop.

mod news;

use lucihub_store::archive::WalkReport;
use lucihub_store::{Keeper, KeeperOptions, Store};
use tokio::sync::Notify;

use crate::args::ArchiveArgs;
use crate::failure::Failure;
use crate::{output, place, stop};
use news::{News, Told};

/// Moves runs from hot to cold storage.
pub(crate) async fn run(args: ArchiveArgs) -> Result<(), Failure> {
    let Some(server) = args.place.hot.server() else { return Err(Failure::NeedsServer("lucihub archive")) };
    if args.watch {
        let store = place::find_or_make(&args.place).await?;
        output::say(format!("keeping the runs of {server} until Ctrl-C"));
        watch(store, args.json).await
    } else {
        once(place::find(&args.place).await?, args.json).await
    }
}

/// One walk. Results on standard output, what went wrong on standard error.
async fn once(store: Store, json: bool) -> Result<(), Failure> {
    let report = Keeper::new(store.clone(), KeeperOptions::default()).walk().await?;
    let news = News::of(store.now(), &report, report.errors.iter().map(news::of_run).collect());
    if json {
        output::json(&news)?;
    } else {
        news.errors.iter().for_each(|error| output::say(error.to_string()));
        output::line(news.done().unwrap_or_else(|| "nothing to do".to_owned()))?;
    }
    if report.errors.is_empty() { Ok(()) } else { Err(Failure::Unkept(report.errors.len())) }
}

/// Walks until somebody asks to stop, or nobody reads the output any more.
async fn watch(store: Store, json: bool) -> Result<(), Failure> {
    let keeper = Keeper::new(store.clone(), KeeperOptions::default());
    let (unheard, mut failure) = (Notify::new(), None);
    let mut told = Told::default();
    let report = |walked: lucihub_models_core::Result<WalkReport>| {
        let news = told.news(store.now(), walked);
        if let Err(why) = tell(&news, json) {
            failure = Some(why);
            unheard.notify_one();
        }
    };
    let stop = async {
        tokio::select! {
            () = stop::asked() => {}
            () = unheard.notified() => {}
        }
    };
    keeper.watch(stop, report).await;
    failure.map_or(Ok(()), Err)
}

fn tell(news: &News, json: bool) -> Result<(), Failure> {
    if json {
        return if news.is_empty() { Ok(()) } else { output::json(news) };
    }
    let at = |text: &dyn std::fmt::Display| output::say(format!("{}  {text}", news.at));
    if let Some(done) = news.done() {
        at(&done);
    }
    news.errors.iter().for_each(|error| at(error));
    if news.recovered {
        at(&"both storages answer again");
    }
    Ok(())
}
