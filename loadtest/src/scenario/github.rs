//! 609 routes in the shape of GitHub's public REST API: as many paths, its depths, its mix of literals and parameters.
//!
//! The names are composed here, always in the same order; nothing is copied from the published description.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

/// Paths in the real description when this shape was taken.
pub const COUNT: usize = 609;

/// The path that stands for all where only one is asked.
pub const ONE: &str = "/repos/{owner}/{repo}/issues/{issue_number}/comments";

/// One path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub template: String,
}

/// A prefix with what lives under it, and how many of the paths it has.
struct Family {
    prefix: &'static str,
    things: &'static [&'static str],
    parts: &'static [&'static str],
    count: usize,
}

/// Shares follow the original: more than half are under a repository, a quarter under an organisation.
const FAMILIES: [Family; 8] = [
    Family {
        prefix: "/repos/{owner}/{repo}",
        things: &[
            "issues",
            "pulls",
            "branches",
            "commits",
            "releases",
            "actions/runs",
            "actions/workflows",
            "actions/artifacts",
            "actions/secrets",
            "actions/variables",
            "check-runs",
            "check-suites",
            "code-scanning/alerts",
            "codespaces",
            "collaborators",
            "dependabot/alerts",
            "deployments",
            "environments",
            "forks",
            "git/blobs",
            "git/commits",
            "git/refs",
            "git/tags",
            "git/trees",
            "hooks",
            "invitations",
            "keys",
            "labels",
            "milestones",
            "pages/builds",
            "projects",
            "rulesets",
            "secret-scanning/alerts",
            "security-advisories",
            "tags/protection",
            "traffic",
        ],
        parts: &[
            "comments",
            "events",
            "labels",
            "reactions",
            "assignees",
            "files",
            "reviews",
            "logs",
            "status",
        ],
        count: 330,
    },
    Family {
        prefix: "/orgs/{org}",
        things: &[
            "members",
            "teams",
            "repos",
            "hooks",
            "invitations",
            "actions/runners",
            "actions/secrets",
            "actions/variables",
            "codespaces",
            "dependabot/secrets",
            "packages",
            "projects",
            "public_members",
            "rulesets",
            "migrations",
            "blocks",
            "outside_collaborators",
            "security-managers",
        ],
        parts: &["repositories", "members", "versions", "deliveries", "labels", "archive"],
        count: 142,
    },
    Family {
        prefix: "/user",
        things: &[
            "codespaces",
            "emails",
            "followers",
            "following",
            "gpg_keys",
            "keys",
            "migrations",
            "packages",
            "projects",
            "repos",
            "starred",
            "subscriptions",
        ],
        parts: &["machines", "exports", "versions"],
        count: 50,
    },
    Family {
        prefix: "/users/{username}",
        things: &[
            "events",
            "followers",
            "gists",
            "keys",
            "packages",
            "projects",
            "repos",
            "starred",
        ],
        parts: &["versions", "orgs"],
        count: 28,
    },
    Family {
        prefix: "/teams/{team_id}",
        things: &["discussions", "members", "memberships", "projects", "repos"],
        parts: &["comments", "reactions"],
        count: 18,
    },
    Family {
        prefix: "/enterprises/{enterprise}",
        things: &["actions/runners", "dependabot/alerts", "secret-scanning/alerts", "teams"],
        parts: &["labels", "members"],
        count: 15,
    },
    Family {
        prefix: "/gists",
        things: &["public", "starred", "shared"],
        parts: &["comments", "forks"],
        count: 10,
    },
    Family {
        prefix: "",
        things: &[
            "app",
            "events",
            "feeds",
            "gitignore",
            "licenses",
            "markdown",
            "meta",
            "rate_limit",
        ],
        parts: &["installations"],
        count: 16,
    },
];

/// All routes, in a fixed order without repetition.
pub fn routes() -> Vec<Route> {
    let mut all: Vec<Route> = FAMILIES.iter().flat_map(Family::routes).collect();
    all.truncate(COUNT);
    all
}

impl Family {
    /// Collections first, then items, then what items have, then its items: the deepest are cut off.
    fn routes(&self) -> impl Iterator<Item = Route> {
        let lists = self.things.iter().map(|thing| format!("{}/{thing}", self.prefix));
        let items = self.things.iter().map(|thing| self.item(thing));
        let parts = self
            .parts
            .iter()
            .flat_map(|part| self.things.iter().map(move |t| format!("{}/{part}", self.item(t))));
        let deep = self.parts.iter().flat_map(|part| {
            self.things
                .iter()
                .map(move |t| format!("{}/{part}/{{{}_id}}", self.item(t), singular(part)))
        });
        let deep: Vec<String> = deep.collect();
        let every: Vec<String> = lists.chain(items).chain(parts).chain(deep).collect();
        every.into_iter().take(self.count).map(|template| Route { template })
    }

    fn item(&self, thing: &str) -> String {
        let last = thing.rsplit('/').next().unwrap_or(thing).replace('-', "_");
        let name = singular(&last);
        let key = if matches!(name, "issue" | "pull") { "number" } else { "id" };
        format!("{}/{thing}/{{{name}_{key}}}", self.prefix)
    }
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

impl Route {
    /// Segments, with the name of a parameter where there is one.
    pub fn segments(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let parts = self.template.split('/').skip(1);
        parts.map(|part| (part, part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))))
    }

    /// A concrete path: each parameter gets a value of plausible length.
    pub fn example(&self) -> String {
        let value = |(part, parameter): (&str, Option<&str>)| match parameter {
            None => format!("/{part}"),
            Some("owner" | "org" | "username" | "enterprise") => "/octo-example".to_owned(),
            Some("repo") => "/hello-world".to_owned(),
            Some(_) => "/1347".to_owned(),
        };
        self.segments().map(value).collect()
    }

    /// A regular expression for proxies that match that way.
    pub fn regex(&self) -> String {
        let part = |(part, parameter): (&str, Option<&str>)| match parameter {
            Some(_) => "/[^/]+".to_owned(),
            None => format!("/{}", part.replace('.', "\\.")),
        };
        format!("^{}$", self.segments().map(part).collect::<String>())
    }
}

/// The routes as an OpenAPI document: GET everywhere, POST on collections, PATCH and DELETE on items.
pub fn document(routes: &[Route], upstream: SocketAddr) -> String {
    let paths: Map<String, Value> = routes
        .iter()
        .map(|route| {
            let item = route.template.ends_with('}');
            let methods: &[&str] =
                if item { &["get", "patch", "delete"] } else { &["get", "post"] };
            let operations = methods
                .iter()
                .map(|method| ((*method).to_owned(), operation(route, method, upstream)));
            (route.template.clone(), Value::Object(operations.collect()))
        })
        .collect();
    json!({ "openapi": "3.0.1", "info": { "title": "load-routes", "version": "1" }, "paths": paths }).to_string()
}

fn operation(route: &Route, method: &str, upstream: SocketAddr) -> Value {
    let names: Vec<&str> = route.segments().filter_map(|(_, parameter)| parameter).collect();
    let declared: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mapped: Map<String, Value> = names
        .iter()
        .map(|name| {
            (
                format!("integration.request.path.{name}"),
                json!(format!("method.request.path.{name}")),
            )
        })
        .collect();
    json!({
        "parameters": declared,
        "responses": { "200": { "description": "from the upstream" } },
        "x-amazon-apigateway-integration": {
            "type": "http_proxy",
            "httpMethod": method.to_uppercase(),
            "uri": format!("http://{upstream}{}", route.template),
            "requestParameters": mapped,
            "passthroughBehavior": "when_no_match",
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_shape() {
        let routes = routes();
        assert_eq!(routes.len(), COUNT);
        let templates: HashSet<&str> = routes.iter().map(|route| route.template.as_str()).collect();
        assert_eq!(templates.len(), COUNT, "no path twice");
        assert!(templates.contains(ONE));
        let depth = |wanted: usize| {
            routes.iter().filter(|route| route.segments().count() >= wanted).count()
        };
        assert!(depth(5) > COUNT / 3 && depth(9) == 0, "{} {}", depth(5), depth(9));
    }

    #[test]
    fn one_parameter_name_per_position() {
        // API Gateway refuses siblings such as /a/{x} and /a/{y}.
        let mut seen = std::collections::HashMap::new();
        for route in routes() {
            let mut prefix = String::new();
            for (part, parameter) in route.segments() {
                if let Some(name) = parameter {
                    assert_eq!(
                        *seen.entry(prefix.clone()).or_insert(name.to_owned()),
                        name,
                        "below {prefix}"
                    );
                }
                prefix = format!("{prefix}/{part}");
            }
        }
    }

    #[test]
    fn examples() {
        let route = Route { template: ONE.to_owned() };
        assert_eq!(route.example(), "/repos/octo-example/hello-world/issues/1347/comments");
        assert_eq!(route.regex(), "^/repos/[^/]+/[^/]+/issues/[^/]+/comments$");
    }
}
