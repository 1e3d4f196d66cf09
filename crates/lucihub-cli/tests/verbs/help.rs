//! Every verb's help, with examples, and the manual pages and completions that are made of it.

use crate::verbs::golden::{committed, lucihub, printed, same_as};

fn help(verb: &[String]) -> String {
    let args: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
    printed(lucihub(&args).output().unwrap())
}

/// The verbs below one, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// All verbs with their help.
fn all() -> Vec<(Vec<String>, String)> {
    let (mut found, mut ahead) = (Vec::new(), vec![Vec::new()]);
    while let Some(verb) = ahead.pop() {
        let help = help(&verb);
        ahead.extend(below(&help).into_iter().map(|name| [verb.clone(), vec![name]].concat()));
        found.push((verb, help));
    }
    found.sort();
    found
}

#[test]
fn every_verb_has_the_help_that_was_looked_at() {
    let all = all();
    assert!(all.len() > 30, "{}", all.len());
    let mut names = Vec::new();
    for (verb, help) in &all {
        let name = format!("{}.txt", [vec!["lucihub".to_owned()], verb.clone()].concat().join("-"));
        same_as("help", &name, help);
        assert!(!below(help).is_empty() || help.contains("Example"), "{name} has no example");
        names.push(name);
    }
    names.sort();
    assert_eq!(committed("help"), names, "a text of a verb that is gone");
}

#[test]
fn manual_pages_and_completions_know_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man1");
    printed(lucihub(&["man", pages.to_str().unwrap()]).output().unwrap());
    for (verb, _) in all() {
        let name = [vec!["lucihub".to_owned()], verb].concat().join("-");
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{name}");
    }
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef lucihub"), ("fish", "complete -c lucihub")] {
        let script = printed(lucihub(&["completions", shell]).output().unwrap());
        assert!(script.contains(word), "{shell}");
        assert!(script.contains("withdraw") && script.contains("dry-run"), "{shell}");
    }
}
