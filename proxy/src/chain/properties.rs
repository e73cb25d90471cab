//! Random chains on random requests: whatever a chain lets through, every one of its plugins saw.
//!
//! The plugins are pure functions of the request, as those of the proxy are meant to be, with few
//! names and values, so that what one changes is often what another one looks at.

use http::{HeaderMap, Method, Request, Uri};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof},
    sample::select,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

use super::*;
use crate::request::{Content, Json, OLDEST_SAFE_API, UnknownFields};

/// As many chains as are tried.
const CASES: u32 = 4000;

#[test]
fn what_is_forwarded_was_seen_and_not_denied_by_every_plugin() {
    if let Err(found) = search(&mut TestRunner::new(cases()), the_chain) {
        panic!("{found}");
    }
}

/// The property is worth something: where a change does not start another pass, it says so.
#[test]
fn the_property_finds_a_chain_that_does_not_come_to_rest() {
    let found = search(&mut repeatable(), one_pass_alone);
    let Err(TestError::Fail(_, (chain, _))) = found else { panic!("it found nothing: {found:?}") };
    let edits = |rule: &Rule| matches!(rule.does, Action::Edit(_) | Action::Grow);
    assert!(chain.iter().any(|plugin| plugin.0.iter().any(edits)), "a change is in it: {chain:?}");
}

/// Nor is it about chains that refuse all that they are asked.
#[test]
fn random_chains_come_to_each_kind_of_end() {
    let ends = std::cell::RefCell::new(Vec::new());
    let tally = |(chain, request): (Vec<Plugin>, CanonicalRequest)| {
        let (end, asked) = run(the_chain, &chain, &request);
        ends.borrow_mut().push((end, asked.len() > chain.len()));
        Ok(())
    };
    repeatable().run(&(chains(), requests()), tally).unwrap();
    let ends = ends.into_inner();
    let often = |is: fn(&(End, bool)) -> bool| ends.iter().filter(|end| is(end)).count() > 50;
    assert!(often(|(end, _)| matches!(end, End::Forwarded(_))));
    assert!(often(|(end, again)| matches!(end, End::Forwarded(_)) && *again), "after a change");
    assert!(often(|(end, _)| matches!(end, End::Answered(_))));
    assert!(often(|(end, _)| matches!(end, End::Refused(Refusal::Denied { .. }))));
    assert!(often(|(end, _)| matches!(end, End::Refused(Refusal::Failed { .. }))));
    assert!(often(|(end, _)| matches!(end, End::Refused(Refusal::Restless { .. }))));
    assert!(often(|(end, _)| matches!(end, End::Refused(Refusal::NobodyAllowed))));
}

fn cases() -> Config {
    Config { cases: CASES, failure_persistence: None, ..Config::default() }
}

/// The same chains each time.
fn repeatable() -> TestRunner {
    TestRunner::new_with_rng(cases(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Looks for a chain and a request with which the property does not hold.
#[expect(clippy::result_large_err, reason = "the error is proptest's")]
fn search(
    runner: &mut TestRunner,
    driver: Driver,
) -> Result<(), TestError<(Vec<Plugin>, CanonicalRequest)>> {
    runner.run(&(chains(), requests()), |(chain, request)| {
        let (end, asked) = run(driver, &chain, &request);
        holds(&end, &asked, chain.len())
    })
}

// What is asked.

/// What runs a request through so many plugins.
type Driver = fn(CanonicalRequest, usize, &mut Ask) -> End;
type Ask<'a> = dyn FnMut(usize, &CanonicalRequest) -> Result<Answer, Failure> + 'a;

/// What became of a request.
#[derive(Debug)]
enum End {
    Forwarded(Sent),
    Answered(Reply),
    Refused(Refusal),
}

/// A request as it goes to the daemon.
#[derive(Debug, PartialEq)]
struct Sent {
    method: Method,
    target: Uri,
    headers: HeaderMap,
    content: Content,
}

/// A question that a plugin was asked, and its answer.
#[derive(Debug)]
struct Asked {
    plugin: usize,
    saw: CanonicalRequest,
    answer: Result<Answer, Failure>,
}

fn run(driver: Driver, chain: &[Plugin], request: &CanonicalRequest) -> (End, Vec<Asked>) {
    let mut asked = Vec::new();
    let end = driver(request.clone(), chain.len(), &mut |plugin, request| {
        let answer = chain[plugin].answer(request);
        asked.push(Asked { plugin, saw: request.clone(), answer: answer.clone() });
        answer
    });
    (end, asked)
}

/// The chain, as the proxy runs it.
fn the_chain(request: CanonicalRequest, plugins: usize, ask: &mut Ask) -> End {
    let mut next = begin(request, plugins);
    loop {
        match next {
            Next::Ask(question) => {
                let answer = ask(question.plugin(), question.request());
                next = question.answer(answer);
            }
            Next::Decided(Decision::Forward { request, .. }) => {
                return End::Forwarded(Sent::of(request.into_request()));
            }
            Next::Decided(Decision::Reply { reply, .. }) => return End::Answered(reply),
            Next::Decided(Decision::Refuse(refusal, _)) => return End::Refused(refusal),
        }
    }
}

/// The same with a fault: a change does not start another pass.
fn one_pass_alone(request: CanonicalRequest, plugins: usize, ask: &mut Ask) -> End {
    let mut question =
        Question { request: Arc::new(request), plugins, pass: Pass::default(), passes: 1 };
    while question.pass.turn < plugins {
        let answer = ask(question.pass.turn, &question.request);
        if let Err(refusal) = question.take(answer) {
            return End::Refused(refusal);
        }
    }
    match question.conclude() {
        Decision::Forward { request, .. } => End::Forwarded(Sent::of(request.into_request())),
        Decision::Reply { reply, .. } => End::Answered(reply),
        Decision::Refuse(refusal, _) => End::Refused(refusal),
    }
}

impl Sent {
    fn of(request: CanonicalRequest) -> Self {
        let content = request.content().clone();
        let (method, target, headers) = request.into_parts();
        Self { method, target, headers, content }
    }
}

// What must hold.

/// Compares an end with what the plugins saw and said before it.
fn holds(end: &End, asked: &[Asked], plugins: usize) -> Result<(), TestCaseError> {
    for (at, asked) in asked.iter().enumerate() {
        prop_assert_eq!(asked.plugin, at % plugins, "each in its turn");
    }
    prop_assert!(asked.len() <= plugins * usize::from(MAX_PASSES), "so many passes");
    let last = &asked[asked.len().saturating_sub(plugins)..];
    match end {
        End::Forwarded(sent) => {
            approved(asked, last, plugins)?;
            for Asked { plugin, saw, .. } in last {
                prop_assert_eq!(&Sent::of(saw.clone()), sent, "plugin {} saw it", plugin);
            }
            prop_assert!(replies(last).next().is_none(), "nobody answers in the daemon's stead");
        }
        End::Answered(reply) => {
            approved(asked, last, plugins)?;
            prop_assert_eq!(replies(last).next(), Some(reply), "the first one's");
        }
        End::Refused(refusal) => prop_assert!(is_right(refusal, asked, last), "{:?}", refusal),
    }
    Ok(())
}

/// That nobody ever denied or failed, and that the last pass was whole, changed nothing, and had
/// somebody in it who allows.
fn approved(asked: &[Asked], last: &[Asked], plugins: usize) -> Result<(), TestCaseError> {
    prop_assert!(asked.iter().all(|asked| !asked.denies() && asked.answer.is_ok()), "no veto");
    prop_assert!(plugins > 0 && asked.len().is_multiple_of(plugins), "a whole pass");
    prop_assert!(last.iter().any(Asked::allows), "somebody allows");
    for asked in last {
        prop_assert_eq!(&asked.saw, &last[0].saw, "all saw the same");
        prop_assert_eq!(asked.leaves(), Ok(asked.saw.clone()), "nothing is changed");
    }
    Ok(())
}

/// Whether there is a reason to refuse, and it is this one.
fn is_right(refusal: &Refusal, asked: &[Asked], last: &[Asked]) -> bool {
    match refusal {
        Refusal::Denied { by, .. } => {
            asked.last().is_some_and(|it| it.denies() && it.plugin == *by)
        }
        Refusal::NobodyAllowed => !last.iter().any(Asked::allows),
        Refusal::Failed { by, .. } => {
            let finds = |it: &Asked| it.answer.as_ref().is_ok_and(|it| it.target_id.is_some());
            asked.last().is_some_and(|it| it.leaves().is_err() && it.plugin == *by)
                || last.iter().any(|it| finds(it) && it.plugin == *by)
        }
        Refusal::Restless { .. } => asked.len() == last.len() * usize::from(MAX_PASSES),
    }
}

fn replies(pass: &[Asked]) -> impl Iterator<Item = &Reply> {
    pass.iter().filter_map(|asked| asked.answer.as_ref().ok()?.reply.as_ref())
}

impl Asked {
    fn allows(&self) -> bool {
        self.answer.as_ref().is_ok_and(|answer| answer.vote == Vote::Allow)
    }

    fn denies(&self) -> bool {
        self.answer.as_ref().is_ok_and(|answer| matches!(answer.vote, Vote::Deny(_)))
    }

    /// The request as it is after the edits of the answer.
    fn leaves(&self) -> Result<CanonicalRequest, Failure> {
        let mut request = self.saw.clone();
        for edit in self.answer.clone()?.edits {
            request.edit(edit)?;
        }
        Ok(request)
    }
}

// Chains and requests.

/// A plugin: all of its rules that fit a request say something about it.
#[derive(Clone, Debug)]
struct Plugin(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    when: Condition,
    does: Action,
}

#[derive(Clone, Debug)]
enum Condition {
    Always,
    Method(Method),
    Query(&'static str, Option<&'static str>),
    Header(Option<&'static str>),
    Target(&'static str),
    Body(&'static str, Option<Json>),
}

#[derive(Clone, Debug)]
enum Action {
    Allow,
    Deny,
    Edit(Edit),
    /// Changes it each time.
    Grow,
    /// Asks for a change that can't be made.
    Spoil(Edit),
    Reply(u16),
    FindTarget(&'static str),
    Fail,
}

impl Plugin {
    fn answer(&self, request: &CanonicalRequest) -> Result<Answer, Failure> {
        let mut answer = Answer::from(Vote::Abstain);
        for Rule { does, .. } in self.0.iter().filter(|rule| rule.when.holds(request)) {
            does.add_to(&mut answer, request)?;
        }
        Ok(answer)
    }
}

impl Condition {
    fn holds(&self, request: &CanonicalRequest) -> bool {
        match self {
            Self::Always => true,
            Self::Method(method) => request.method() == method,
            Self::Query(name, value) => request.query().get(name).as_deref() == *value,
            Self::Header(value) => {
                let seen = request.headers().get("x-a");
                seen.map(http::HeaderValue::as_bytes) == value.map(str::as_bytes)
            }
            Self::Target(target) => request.target() == Some(*target),
            Self::Body(pointer, value) => match request.content() {
                Content::Json(json) => json.at(pointer) == value.as_ref(),
                Content::Unread | Content::Empty => false,
            },
        }
    }
}

impl Action {
    fn add_to(&self, answer: &mut Answer, request: &CanonicalRequest) -> Result<(), Failure> {
        let can_be_made = |edit: &Edit| match edit {
            Edit::SetTarget(_) => request.target().is_some(),
            Edit::SetJson(..) | Edit::RemoveJson(_) => {
                matches!(request.content(), Content::Json(_))
            }
            _ => true,
        };
        match self {
            Self::Allow if answer.vote == Vote::Abstain => answer.vote = Vote::Allow,
            Self::Deny => {
                let (code, message) = ("no".to_owned(), "no".to_owned());
                answer.vote = Vote::Deny(Denial { status: 403, code, message, hint: None });
            }
            Self::Edit(edit) if can_be_made(edit) => answer.edits.push(edit.clone()),
            Self::Grow => {
                let longer = request.query().get("n").unwrap_or_default() + "i";
                answer.edits.push(Edit::SetQuery("n".to_owned(), longer));
            }
            Self::Spoil(edit) => answer.edits.push(edit.clone()),
            Self::Reply(status) => {
                answer.reply = Some(Reply { status: *status, json: "{}".to_owned() });
            }
            Self::FindTarget(id) if request.target().is_some() => {
                answer.target_id = Some((*id).to_owned());
            }
            Self::Fail => return Err(Failure::Trap("unreachable".to_owned())),
            Self::Allow | Self::Edit(_) | Self::FindTarget(_) => {}
        }
        Ok(())
    }
}

fn chains() -> impl Strategy<Value = Vec<Plugin>> {
    let rule = (conditions(), actions()).prop_map(|(when, does)| Rule { when, does });
    vec(vec(rule, 0..4).prop_map(Plugin), 0..5)
}

fn conditions() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::Always),
        1 => select(vec![Method::GET, Method::POST]).prop_map(Condition::Method),
        2 => (names(), option::of(values())).prop_map(|(n, v)| Condition::Query(n, v)),
        1 => option::of(values()).prop_map(Condition::Header),
        1 => targets().prop_map(Condition::Target),
        2 => (pointers(), option::of(values().prop_map(json)))
            .prop_map(|(p, v)| Condition::Body(p, v)),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        30 => Just(Action::Allow),
        8 => Just(Action::Deny),
        30 => edits().prop_map(Action::Edit),
        3 => Just(Action::Grow),
        1 => bad_edits().prop_map(Action::Spoil),
        5 => select(vec![200, 404]).prop_map(Action::Reply),
        6 => targets().prop_map(Action::FindTarget),
        1 => Just(Action::FindTarget("no/id")),
        1 => Just(Action::Fail),
    ]
}

fn edits() -> impl Strategy<Value = Edit> {
    let text = str::to_owned;
    prop_oneof![
        (names(), values()).prop_map(move |(n, v)| Edit::SetQuery(text(n), text(v))),
        names().prop_map(move |n| Edit::RemoveQuery(text(n))),
        values().prop_map(move |v| Edit::SetHeader("X-A".to_owned(), text(v))),
        Just(Edit::RemoveHeader("X-A".to_owned())),
        targets().prop_map(move |t| Edit::SetTarget(text(t))),
        (pointers(), values()).prop_map(move |(p, v)| Edit::SetJson(text(p), json(v))),
        pointers().prop_map(move |p| Edit::RemoveJson(text(p))),
    ]
}

fn bad_edits() -> impl Strategy<Value = Edit> {
    select(vec![
        Edit::SetHeader("Content-Length".to_owned(), "0".to_owned()),
        Edit::SetHeader("X-A".to_owned(), "\n".to_owned()),
        Edit::SetQuery("a".to_owned(), "\0".to_owned()),
        Edit::SetTarget("../x".to_owned()),
        Edit::RemoveHeader("Host".to_owned()),
    ])
}

fn requests() -> impl Strategy<Value = CanonicalRequest> {
    let line = prop_oneof![
        Just((Method::GET, "/containers/json".to_owned())),
        Just((Method::POST, "/containers/create".to_owned())),
        targets().prop_map(|target| (Method::POST, format!("/v1.41/containers/{target}/update"))),
        targets().prop_map(|target| (Method::GET, format!("/containers/{target}/json"))),
    ];
    let query = vec((names(), values()), 0..3);
    let fields = vec((select(vec!["Image", "Cmd"]), values()), 0..3);
    (line, query, option::of(values()), option::of(fields)).prop_map(
        |((method, path), query, header, fields)| {
            let query: Vec<_> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let request =
                Request::builder().method(method).uri(format!("{path}?{}", query.join("&")));
            let request = header.into_iter().fold(request, |it, value| it.header("X-A", value));
            let (head, ()) = request.body(()).unwrap().into_parts();
            let request = CanonicalRequest::new(head, OLDEST_SAFE_API).unwrap();
            match fields {
                Some(fields) => {
                    // Of two that are the same the last one would count: that is refused before.
                    let fields: std::collections::BTreeMap<_, _> = fields.into_iter().collect();
                    {
                        let body = serde_json::json!(fields).to_string();
                        request.with_body(body.as_bytes(), UnknownFields::Pass).unwrap()
                    }
                }
                None => request,
            }
        },
    )
}

fn names() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b"])
}

fn values() -> impl Strategy<Value = &'static str> {
    select(vec!["1", "2"])
}

fn targets() -> impl Strategy<Value = &'static str> {
    select(vec!["web", "db", "4f66"])
}

fn pointers() -> impl Strategy<Value = &'static str> {
    select(vec!["/Image", "/Labels/a", "/Labels"])
}

fn json(value: &str) -> Json {
    Json::parse(format!("{value:?}").as_bytes()).unwrap()
}
