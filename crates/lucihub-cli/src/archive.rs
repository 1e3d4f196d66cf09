//! `lucihub archive`: a keeper, for one walk or until it is asked to stop.

mod news;
pub(crate) mod serve;

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use lucihub_store::archive::WalkReport;
use lucihub_store::{Keeper, KeeperOptions, Store};
use tokio::sync::Notify;

use crate::args::{ArchiveArgs, Place};
use crate::failure::Failure;
use crate::{output, place, stop};
use news::{News, Told};

/// Moves runs from hot to cold storage.
pub(crate) async fn run(args: ArchiveArgs) -> Result<(), Failure> {
    let Some(server) = args.place.hot.server() else { return Err(Failure::NeedsServer("lucihub archive")) };
    if args.watch {
        // One wait for all of it, so that no signal falls between two.
        let mut stop = pin!(stop::asked());
        let store = tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            opened = open_told(&args.place, args.listen) => opened?,
        };
        output::say(format!("keeping the runs of {server} until Ctrl-C"));
        watch(store, stop, args.json).await
    } else {
        once(place::find(&args.place).await?, args.json).await
    }
}

/// Listens first, so that a port that is taken is said at once, and health can be asked for while a storage is away.
async fn open_told(place: &Place, listen: Option<SocketAddr>) -> Result<Store, Failure> {
    let Some(at) = listen else { return open(place).await };
    let told = serve::listen(at).await?;
    let store = open(place).await?;
    told.opened(&store);
    Ok(store)
}

/// Opens both storages, and waits for a server that is not there yet.
async fn open(place: &Place) -> Result<Store, Failure> {
    const AGAIN: Duration = Duration::from_secs(1);
    let mut told = false;
    loop {
        match place::find_or_make(place).await {
            Err(why) if why.is_server_away() => {
                if !std::mem::replace(&mut told, true) {
                    output::say(format!("lucihub: {why}; waiting for it until Ctrl-C"));
                }
                tokio::time::sleep(AGAIN).await;
            }
            done => return done,
        }
    }
}

/// One walk. Results on standard output, what went wrong on standard error.
async fn once(store: Store, json: bool) -> Result<(), Failure> {
    let report = Keeper::new(store.clone(), KeeperOptions::default()).walk().await?;
    let news = News::of(store.now(), &report, news::wrong(&report));
    if json {
        output::json(&news)?;
    } else {
        // What is wrong with all of them is said at the end.
        news.errors.iter().filter(|wrong| wrong.is_of_a_run()).for_each(|wrong| output::say(wrong.to_string()));
        output::line(news.done().unwrap_or_else(|| "nothing to do".to_owned()))?;
    }
    match report.devices_error {
        Some(error) => Err(error.into()),
        None if report.errors.is_empty() => Ok(()),
        None => Err(Failure::Unkept(report.errors.len())),
    }
}

/// Walks until somebody asks to stop, or nobody reads the output any more.
async fn watch(store: Store, asked: impl Future<Output = ()>, json: bool) -> Result<(), Failure> {
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
            () = asked => {}
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
