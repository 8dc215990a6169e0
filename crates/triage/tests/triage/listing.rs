//! The names of files are read only where the policy allows it, folder by folder, and the receipt says
//! so.

use chaffinch_core::ForgeError;
use chaffinch_egress::Listing;

use crate::{
    double::{World, needs_review},
    path::shop,
    reports::{hit, semgrep},
};

const HANDLER: &str = "package shop\n\nfunc Show(w http.ResponseWriter, r *http.Request) {\n\trender(w, scrub(r.FormValue(\"q\")))\n}\n";
const SCRUB: &str =
    "package shop\n\nfunc scrub(s string) string {\n\treturn strings.ToUpper(s)\n}\n";

/// A finding whose helper is in a file of the same package that no name points at.
fn package(listing: Listing) -> World {
    let mut world = shop();
    world.policy.listing = listing;
    world.forge.adds("shop/show.go", HANDLER);
    world.forge.file("shop/zebra.go", SCRUB);
    world.forge.only_report(semgrep(&[hit("go.xss", "shop/show.go", 4)]));
    world.model.says(needs_review("Not enough is shown."));
    world
}

#[tokio::test]
async fn no_folder_is_listed_unless_the_policy_says_so() {
    let world = package(Listing::Off);
    world.run().await.unwrap();
    assert!(world.forge.listed().is_empty());
    let receipt = world.receipts.written.lock().unwrap()[0].clone();
    assert!(receipt.requests.folders.is_empty());
    assert!(!world.model.seen.lock().unwrap().concat().contains("ToUpper"));
}

#[tokio::test]
async fn names_of_files_lead_to_a_helper_and_each_folder_stands_on_the_receipt() {
    let world = package(Listing::Names);
    world.run().await.unwrap();
    assert_eq!(world.forge.listed()[0], "shop");
    let receipt = world.receipts.written.lock().unwrap()[0].clone();
    assert_eq!(receipt.requests.folders, world.forge.listed());
    let asked = receipt.requests.files as usize;
    assert!(world.forge.fetched()[..asked].contains(&"shop/zebra.go".to_owned()));
    let seen = world.model.seen.lock().unwrap().concat();
    assert!(seen.contains("ToUpper"), "{seen}");
    let body = world.forge.bodies().concat();
    assert!(body.contains("chosen with the names of files of 1 folder)"), "{body}");
}

#[tokio::test]
async fn a_folder_is_listed_once_for_all_findings() {
    let world = package(Listing::Names);
    world.forge.only_report(semgrep(&[
        hit("go.xss", "shop/show.go", 4),
        hit("go.other", "shop/show.go", 4),
    ]));
    world.run().await.unwrap();
    assert_eq!(world.forge.listed(), ["shop"]);
    assert_eq!(world.receipts.written.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn names_that_cannot_be_had_cost_no_more_than_the_helper() {
    let world = package(Listing::Names);
    world.forge.fails("names", Some(ForgeError::Denied { needs: "contents: read".into() }));
    world.run().await.unwrap();
    assert_eq!(world.model.asked(), 1);
}

#[tokio::test]
async fn names_that_cannot_be_had_for_now_bring_the_job_back() {
    let world = package(Listing::Names);
    world.forge.fails("names", Some(ForgeError::Unavailable { why: "502".into() }));
    world.run().await.unwrap_err();
    assert_eq!(world.model.asked(), 0);
}
