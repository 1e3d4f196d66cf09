//! Counters of created runs, and quotas.

use lucihub_models_core::cold::{Created, Quota, Usage};
use lucihub_models_core::{DeviceType, RunHead, RunId};

use super::Store;
use super::given::{archive, create, head, id, refusal};

fn owned(n: u64, owner: &str, kind: Option<DeviceType>) -> RunHead {
    let mut head = head(n);
    head.owner = Some(owner.into());
    head.device_type = kind;
    head
}

async fn used(store: &Store, owner: &str) -> Vec<(String, u64, u64)> {
    let usage = store.usage(owner).await.unwrap();
    usage.iter().map(|usage: &Usage| (usage.name().to_owned(), usage.last_hour, usage.last_day)).collect()
}

/// Runs are counted by owner and kind of device, each once, and for good.
pub async fn created_runs_are_counted(store: Store) {
    assert_eq!(used(&store, "ada").await, []);
    for n in 1..=3 {
        create(&*store, &owned(n, "ada", Some(DeviceType::Lucidac))).await;
    }
    create(&*store, &owned(4, "ada", None)).await;
    create(&*store, &owned(5, "ada", Some(DeviceType::Redac))).await;
    create(&*store, &owned(6, "Ada", Some(DeviceType::Redac))).await;
    create(&*store, &head(7)).await;
    let expected = [(String::new(), 1, 1), ("LUCIDAC".to_owned(), 3, 3), ("REDAC".to_owned(), 1, 1)];
    assert_eq!(used(&store, "ada").await, expected);
    // The same run again, a refused one, and what becomes of runs: none of it counts.
    assert_eq!(store.create(&owned(1, "ada", Some(DeviceType::Lucidac))).await.unwrap(), Created::Existing);
    assert!(store.create(&owned(1, "ada", None)).await.is_err());
    archive(&*store, &owned(2, "ada", Some(DeviceType::Lucidac))).await;
    assert!(store.delete(id(3)).await.unwrap());
    assert_eq!(used(&store, "ada").await, expected);
    assert_eq!(used(&store, "Ada").await, [("REDAC".to_owned(), 1, 1)]);
}

/// A quota is for one owner on one kind of device; one run past it is refused, and leaves nothing.
pub async fn quotas_are_kept(store: Store) {
    let quota = Quota::default().per_hour(2).per_day(100);
    let lucidac = |n| owned(n, "ada", Some(DeviceType::Lucidac));
    for n in 1..=2 {
        assert_eq!(store.create_within(&lucidac(n), &quota).await.unwrap(), Created::Created);
    }
    assert_eq!(refusal(&store.create_within(&lucidac(3), &quota).await), "QuotaExceeded");
    assert_eq!(refusal(&store.create_within(&lucidac(3), &Quota::default().per_day(2)).await), "QuotaExceeded");
    assert_eq!(store.get(id(3)).await.unwrap(), None);
    assert_eq!(used(&store, "ada").await, [("LUCIDAC".to_owned(), 2, 2)]);
    assert_eq!(store.create_within(&lucidac(2), &quota).await.unwrap(), Created::Existing, "it is there already");
    for other in
        [owned(4, "ada", Some(DeviceType::Redac)), owned(5, "ada", None), owned(6, "grace", Some(DeviceType::Lucidac))]
    {
        assert_eq!(store.create_within(&other, &quota).await.unwrap(), Created::Created);
    }
    assert_eq!(store.create_within(&lucidac(3), &Quota::default()).await.unwrap(), Created::Created, "no limit");
    assert_eq!(refusal(&store.create_within(&head(7), &quota).await), "Invalid", "nobody's run");
    assert_eq!(
        refusal(&store.create_within(&owned(8, "eve", None), &Quota::default().per_hour(0)).await),
        "QuotaExceeded"
    );
}

/// Of many at once as many are created as the quota allows.
pub async fn quotas_hold_in_races(store: Store) {
    let quota = Quota::default().per_hour(5);
    let racers: Vec<_> = (1..=20)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let run: RunId = id(n);
                let answer = store.create_within(&owned(n, "ada", Some(DeviceType::Redac)), &quota).await;
                assert_eq!(store.get(run).await.unwrap().is_some(), answer.is_ok());
                answer.is_ok()
            })
        })
        .collect();
    let mut created = 0;
    for racer in racers {
        created += u64::from(racer.await.unwrap());
    }
    assert_eq!(created, 5);
    assert_eq!(used(&store, "ada").await, [("REDAC".to_owned(), 5, 5)]);
}
