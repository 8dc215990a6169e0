//! `Discussion`: writing what reviewers see, and finding it again.

use std::collections::BTreeSet;

use chaffinch_core::{
    Annotation, AnnotationLevel, Check, Conclusion, Fingerprint, ForgeError, ForgeKind, LineRange,
    Marker, MarkerKind, NewThread, Placement, Posted, RepoPath, Side, Thread,
};
use chaffinch_sandbox::Trouble;

use super::{Difference, Opened, difference::DIFFERENCES, sha};
use crate::harness::{Change, REPOSITORY, SQLI, Step, is_closed, on_both_forges};

on_both_forges! {
    threads_stand_on_their_lines_and_are_found_again,
    one_thread_is_as_good_as_several,
    nothing_to_post_asks_nothing,
    a_place_that_the_forge_does_not_take_leaves_the_others,
    a_thread_is_ours_only_if_we_began_it,
    a_reply_is_told,
    a_comment_is_edited_in_place,
    a_thread_is_closed_and_opened_again,
    what_a_person_resolved_is_not_ours_to_reopen,
    a_thread_whose_lines_are_gone_is_nowhere,
    the_summary_is_written_once_and_then_over,
    an_answer_that_is_lost_leaves_what_can_be_found,
    a_check_says_how_it_ended_and_is_one,
    changes_of_one_head_have_a_check_each_where_there_is_room,
    what_may_not_be_written_says_what_is_missing,
    a_text_of_any_kind_comes_back_as_it_was,
}

fn marker(n: u8) -> Marker {
    let finding = Fingerprint::from_digest([n; 16]);
    Marker { kind: MarkerKind::Finding { finding, tool: "89abcdef".into() } }
}

fn thread(n: u8, start: u32, end: u32) -> NewThread {
    let path = RepoPath::new("app/db.py").unwrap();
    let at = Placement { path, lines: LineRange::new(start, end), side: Side::New };
    NewThread { at, body: format!("**finding {n}**\n\n{}", marker(n)) }
}

/// `app/db.py` with an SQL injection in line 5, in the middle of lines that do not change.
fn scene(it: &Opened) -> Change {
    let filler = "# nothing to see\n".repeat(30);
    let repo = it.fake.repo(REPOSITORY);
    let safe = SQLI.replace("cursor.execute", "cursor.run");
    repo.base_file("app/db.py", format!("{safe}{filler}"));
    repo.file("app/db.py", format!("{SQLI}{filler}")).change(7)
}

async fn threads(it: &Opened) -> Vec<Thread> {
    let mut threads = it.access.discussion.threads(&it.change(7).await).await.unwrap();
    threads.sort_by_key(|thread| thread.marker.to_string());
    threads
}

async fn post(it: &Opened, new: &[NewThread]) -> Vec<Posted> {
    it.access.discussion.post(&it.change(7).await, new).await.unwrap()
}

async fn threads_stand_on_their_lines_and_are_found_again(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    assert!(threads(&it).await.is_empty());
    // On an added line, on one beside it, and on several of both.
    let new = [thread(1, 5, 5), thread(2, 4, 4), thread(3, 3, 6)];
    let posted = post(&it, &new).await;
    let found = threads(&it).await;
    assert_eq!((posted.len(), found.len()), (3, 3));
    for ((new, posted), found) in new.iter().zip(&posted).zip(&found) {
        assert_eq!(*posted, Posted::OnLine(found.first.id.clone()));
        assert_eq!(found.first.body.trim_end(), new.body);
        assert_eq!(found.at.as_ref(), Some(&new.at), "{found:?}");
        assert_eq!(
            (found.resolved, found.resolved_by_us, found.has_replies),
            (false, false, false)
        );
    }
    let seen = change.threads();
    let lines: Vec<_> = seen.iter().map(|t| (t.start_line, t.line)).collect();
    assert_eq!(lines, [(None, Some(5)), (None, Some(4)), (Some(3), Some(6))]);
}

async fn one_thread_is_as_good_as_several(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    let posted = post(&it, &[thread(1, 5, 5)]).await;
    assert_eq!(posted, [Posted::OnLine(threads(&it).await[0].first.id.clone())]);
    assert_eq!(it.fake.requests(Step::PostThread).len(), 1);
    assert_eq!(change.threads().len(), 1);
}

async fn nothing_to_post_asks_nothing(on: ForgeKind) {
    let it = Opened::on(on).await;
    scene(&it);
    let change = it.change(7).await;
    let before = it.fake.calls().len();
    assert!(it.access.discussion.post(&change, &[]).await.unwrap().is_empty());
    assert_eq!(it.fake.calls().len(), before);
}

async fn a_place_that_the_forge_does_not_take_leaves_the_others(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    let mut elsewhere = thread(3, 1, 1);
    elsewhere.at.path = RepoPath::new("README").unwrap();
    let posted = post(&it, &[thread(1, 5, 5), thread(2, 30, 30), elsewhere]).await;
    assert!(matches!(posted[0], Posted::OnLine(_)), "{posted:?}");
    for refused in &posted[1..] {
        let Posted::Refused(why) = refused else { panic!("{posted:?}") };
        assert!(!why.is_empty());
    }
    assert_eq!((threads(&it).await.len(), change.threads().len()), (1, 1));
}

async fn a_thread_is_ours_only_if_we_began_it(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    post(&it, &[thread(1, 5, 5)]).await;
    // Markers of ours in the words of others.
    change.comment("mallory", &marker(2).to_string());
    change.reply("app/db.py:5", "mallory", &marker(3).to_string()).unwrap();
    let found = threads(&it).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].marker, marker(1));
    change.comment("mallory", &Marker { kind: MarkerKind::Summary }.to_string());
    assert_eq!(it.access.discussion.summary(&it.change(7).await).await.unwrap(), None);
}

async fn a_reply_is_told(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    post(&it, &[thread(1, 5, 5), thread(2, 4, 4)]).await;
    change.reply("app/db.py:5", "alice", "I do not think so.").unwrap();
    let replies: Vec<_> = threads(&it).await.iter().map(|thread| thread.has_replies).collect();
    assert_eq!(replies, [true, false]);
}

async fn a_comment_is_edited_in_place(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    post(&it, &[thread(1, 5, 5)]).await;
    let first = threads(&it).await.remove(0).first;
    it.access.discussion.edit(&first.id, &format!("other words\n\n{}", marker(1))).await.unwrap();
    let after = threads(&it).await;
    assert_eq!((after.len(), &after[0].first.id), (1, &first.id));
    assert!(after[0].first.body.starts_with("other words"));
    assert_eq!(change.threads()[0].comments.len(), 1);
}

async fn a_thread_is_closed_and_opened_again(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    post(&it, &[thread(1, 5, 5)]).await;
    let discussion = &it.access.discussion;
    let open = threads(&it).await.remove(0);
    discussion.resolve(&open).await.unwrap();
    let seen = change.threads().remove(0);
    assert!(is_closed(&seen));
    assert_eq!(seen.resolved_by.is_some(), Difference::ResolvesThreads.holds_on(on));
    let closed = threads(&it).await.remove(0);
    assert_eq!((closed.resolved, closed.resolved_by_us), (true, true));
    // Once more is no failure.
    discussion.resolve(&closed).await.unwrap();
    discussion.reopen(&closed).await.unwrap();
    assert!(!is_closed(&change.threads()[0]));
    let open = threads(&it).await.remove(0);
    assert_eq!((open.resolved, open.resolved_by_us), (false, false));
    discussion.reopen(&open).await.unwrap();
}

async fn what_a_person_resolved_is_not_ours_to_reopen(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    post(&it, &[thread(1, 5, 5)]).await;
    assert!(change.resolve("app/db.py:5", "alice", true));
    let found = threads(&it).await.remove(0);
    assert_eq!((found.resolved, found.resolved_by_us), (true, false));
    change.threads();
}

async fn a_thread_whose_lines_are_gone_is_nowhere(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    post(&it, &[thread(1, 5, 5)]).await;
    change.push(&[("app/db.py", "nothing = True\n")]);
    let found = threads(&it).await;
    assert_eq!(found.len(), 1, "it is still there");
    assert_eq!(found[0].at, None);
    change.threads();
}

async fn the_summary_is_written_once_and_then_over(on: ForgeKind) {
    let it = Opened::on(on).await;
    let fake = scene(&it);
    let (change, discussion) = (it.change(7).await, &it.access.discussion);
    let end = Marker { kind: MarkerKind::Summary };
    assert_eq!(discussion.summary(&change).await.unwrap(), None);
    discussion.put_summary(&change, None, &format!("one\n\n{end}")).await.unwrap();
    let first = discussion.summary(&change).await.unwrap().unwrap();
    assert!(first.body.starts_with("one"));
    discussion.put_summary(&change, Some(&first.id), &format!("two\n\n{end}")).await.unwrap();
    let second = discussion.summary(&change).await.unwrap().unwrap();
    assert_eq!((&second.id, second.body.starts_with("two")), (&first.id, true));
    assert_eq!(it.fake.requests(Step::PostSummary).len(), 1);
    assert_eq!(fake.summary().matches("⟨summary⟩").count(), 1);
}

async fn an_answer_that_is_lost_leaves_what_can_be_found(on: ForgeKind) {
    let it = Opened::on(on).await;
    let fake = scene(&it);
    let change = it.change(7).await;
    for (step, new) in [
        (Step::PostThread, vec![thread(1, 5, 5)]),
        (Step::PostThreads, vec![thread(2, 4, 4), thread(3, 3, 3)]),
    ] {
        it.fake.faults().at(step, Trouble::LoseAnswer);
        // It is told, or what was done is looked for at once.
        match it.access.discussion.post(&change, &new).await {
            Err(error) => assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}"),
            Ok(posted) => {
                assert_eq!(posted.len(), new.len());
                assert!(posted.iter().all(|p| matches!(p, Posted::OnLine(_))));
            }
        }
    }
    assert_eq!(threads(&it).await.len(), 3);
    assert_eq!(fake.threads().len(), 3);
}

fn check(head: &str, conclusion: Conclusion, title: &str) -> Check {
    let note = Annotation {
        path: RepoPath::new("app/db.py").unwrap(),
        lines: LineRange::new(5, 5),
        level: AnnotationLevel::Failure,
        title: "sqli".into(),
        message: "It is.".into(),
    };
    Check {
        head: sha(head),
        conclusion,
        title: title.into(),
        summary: "why".into(),
        annotations: vec![note],
    }
}

async fn a_check_says_how_it_ended_and_is_one(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    let discussion = &it.access.discussion;
    assert_eq!(discussion.check_has_room(), Difference::ChecksHaveRoom.holds_on(on));
    for (conclusion, title) in [
        (Conclusion::Neutral, "waiting"),
        (Conclusion::Failure, "1 finding is real"),
        (Conclusion::Failure, "2 findings are real"),
        (Conclusion::Failure, "2 findings are real"),
        (Conclusion::Success, "no finding"),
    ] {
        let said = check(&change.head(), conclusion, title);
        discussion.check(&it.change(7).await, &said).await.unwrap();
        assert_eq!(change.conclusion(), format!("{conclusion:?}").to_lowercase());
        let shown = change.checks().pop().unwrap();
        assert_eq!(shown.title, title);
        assert_eq!(shown.annotations.len() == 1, Difference::ChecksHaveRoom.holds_on(on));
        let word = shown.conclusion.as_deref() == Some("neutral");
        let neutral = conclusion == Conclusion::Neutral;
        assert_eq!(word, neutral && Difference::ChecksAreNeutral.holds_on(on));
        assert_eq!(shown.status, "completed");
    }
    // The head of now has none yet.
    change.push(&[("app/db.py", "x = 1\n")]);
    assert!(change.checks().is_empty());
}

async fn changes_of_one_head_have_a_check_each_where_there_is_room(on: ForgeKind) {
    let it = Opened::on(on).await;
    let one = scene(&it);
    let two = it.fake.repo(REPOSITORY).file("b.py", "x = 1\n").change(8);
    two.same_head_as(&one);
    let head = one.head();
    for (number, conclusion) in [(7, Conclusion::Failure), (8, Conclusion::Success)] {
        let change = it.change(number).await;
        it.access.discussion.check(&change, &check(&head, conclusion, "said")).await.unwrap();
    }
    let names: BTreeSet<_> = one.checks().into_iter().map(|check| check.name).collect();
    let each = Difference::ChecksAreOfChanges.holds_on(on);
    assert_eq!(names.len(), if each { 2 } else { 1 }, "{names:?}");
    assert_eq!(one.checks().iter().any(|c| c.conclusion.as_deref() == Some("failed")), each);
}

async fn what_may_not_be_written_says_what_is_missing(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    it.fake.withhold_checks();
    let said = check(&change.head(), Conclusion::Success, "x");
    let error = it.access.discussion.check(&it.change(7).await, &said).await;
    let Err(ForgeError::Denied { needs }) = error else { panic!("{error:?}") };
    assert!(needs.contains("checks") || needs.contains("Developer"), "{needs}");
}

async fn a_text_of_any_kind_comes_back_as_it_was(on: ForgeKind) {
    let it = Opened::on(on).await;
    let change = scene(&it);
    let mut new = thread(1, 5, 5);
    let odd = "ü 漢字 👍 \\ `a` %20 +&=# <b> \"q\" 'q'\n\n```suggestion\nx = 1\n```";
    new.body = format!("{odd}\n\n{}", marker(1));
    post(&it, &[new.clone()]).await;
    assert_eq!(threads(&it).await[0].first.body.replace("\r\n", "\n").trim_end(), new.body);
    change.threads();
}

#[test]
fn every_difference_has_a_reason_and_one_side() {
    for (difference, has, why) in DIFFERENCES {
        let others = ForgeKind::ALL.into_iter().filter(|kind| *kind != has);
        assert!(difference.holds_on(has) && others.into_iter().all(|k| !difference.holds_on(k)));
        assert!(why.split(' ').count() > 6, "{difference:?}");
    }
}
