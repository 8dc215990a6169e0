//! `Forge`: finding and opening a repository.

use chaffinch_core::{ForgeError, ForgeKind, RepoId};

use super::{Difference, Opened};
use crate::harness::{REPOSITORY, on_both_forges};

on_both_forges! {
    a_repository_is_found_by_its_name,
    a_repository_that_we_are_not_let_into_is_not_found,
    a_repository_of_another_forge_is_refused,
    what_was_made_for_a_job_ends_with_it,
    a_handle_reaches_one_repository_alone,
}

async fn a_repository_is_found_by_its_name(on: ForgeKind) {
    let it = Opened::on(on).await;
    let found = it.forge.locate(&REPOSITORY.parse().unwrap()).await.unwrap();
    assert_eq!(found, it.fake.repo_id(REPOSITORY));
    assert_eq!((found.forge, it.forge.kind()), (on, on));
}

async fn a_repository_that_we_are_not_let_into_is_not_found(on: ForgeKind) {
    let it = Opened::on(on).await;
    it.fake.hidden("acme/payroll");
    for name in ["acme/payroll", "acme/nothing", "nobody/shop"] {
        let error = it.forge.locate(&name.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotFound), "{name}: {error}");
    }
}

async fn a_repository_of_another_forge_is_refused(on: ForgeKind) {
    let it = Opened::on(on).await;
    let other = ForgeKind::ALL.into_iter().find(|kind| *kind != on).unwrap();
    let repo = RepoId { forge: other, ..it.fake.repo_id(REPOSITORY) };
    assert!(it.forge.open(&repo).await.is_err());
}

async fn what_was_made_for_a_job_ends_with_it(on: ForgeKind) {
    let it = Opened::on(on).await;
    it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    it.change(7).await;
    it.access.discussion.summary(&it.change(7).await).await.unwrap();
    let made = it.fake.live_tokens();
    assert_eq!(made, if Difference::MakesTokens.holds_on(on) { 2 } else { 0 });
    it.access.grant.revoke().await.unwrap();
    assert_eq!(it.fake.live_tokens(), 0);
    let after = it.access.source.change(7).await;
    assert_eq!(after.is_err(), Difference::MakesTokens.holds_on(on));
}

async fn a_handle_reaches_one_repository_alone(on: ForgeKind) {
    let it = Opened::on(on).await;
    it.fake.repo(REPOSITORY).file("a.py", "x = 1\n").change(7);
    it.fake.repo("acme/other").base_file("README", "x\n").file("b.py", "y = 1\n").change(8);
    it.change(7).await;
    let error = it.access.source.change(8).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound), "{error}");
}
