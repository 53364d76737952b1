//! The admin API in the words of API Gateway's wire protocol, signed and over one kept connection.

use std::{io, net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use time::{OffsetDateTime, macros::format_description};

use crate::{
    client::{Answer, Client},
    sigv4::{self, Credentials, Signable},
};

/// One caller of the admin API.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    credentials: Credentials,
    client: Option<Client>,
}

/// An API that was made.
#[derive(Debug, Clone)]
pub struct Api {
    pub id: String,
    /// Id of its root resource.
    pub root: String,
}

/// One of the calls that give a resource a method.
#[derive(Debug, Clone, Copy)]
pub enum MockStep {
    Method,
    MethodResponse,
    Integration,
    IntegrationResponse,
}

impl MockStep {
    /// In the order they must be made.
    pub const ALL: [Self; 4] =
        [Self::Method, Self::MethodResponse, Self::Integration, Self::IntegrationResponse];
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("admin API at {address}: {call}")]
    Io {
        address: SocketAddr,
        call: String,
        #[source]
        cause: io::Error,
    },
    #[error("admin API answered {status} to {call}: {body}")]
    Refused { call: String, status: u16, body: String },
    #[error("admin API answered {call} without `{field}`: {body}")]
    Incomplete { call: String, field: &'static str, body: String },
}

impl Admin {
    /// A loopback admin API takes any well-formed signature.
    pub fn new(address: SocketAddr) -> Self {
        let credentials = Credentials {
            access_key: "AKIALOADTEST".to_owned(),
            secret_key: "loadtest".to_owned(),
            region: "us-east-1".to_owned(),
            service: "apigateway".to_owned(),
        };
        Self { address, credentials, client: None }
    }

    /// Ids of all APIs.
    pub fn apis(&mut self) -> Result<Vec<String>, AdminError> {
        let list = self.call("GET", "/restapis", "limit=500", None)?;
        Ok(items(&list).iter().filter_map(|api| api["id"].as_str().map(str::to_owned)).collect())
    }

    /// CreateRestApi. Answers the ids of the API and of its root resource.
    pub fn create(&mut self, name: &str) -> Result<Api, AdminError> {
        let answer = self.call("POST", "/restapis", "", Some(&json!({ "name": name })))?;
        let id = text(&answer, "id", "POST /restapis")?;
        Ok(Api { id, root: text(&answer, "rootResourceId", "POST /restapis")? })
    }

    /// CreateResource. Answers its id.
    pub fn create_resource(
        &mut self,
        api: &str,
        parent: &str,
        part: &str,
    ) -> Result<String, AdminError> {
        let path = format!("/restapis/{api}/resources/{parent}");
        let answer = self.call("POST", &path, "", Some(&json!({ "pathPart": part })))?;
        text(&answer, "id", &path)
    }

    /// The steps that give a resource a GET answered by a MOCK: PutMethod, PutMethodResponse, PutIntegration and
    /// PutIntegrationResponse.
    pub fn put_mock_step(
        &mut self,
        api: &str,
        resource: &str,
        step: MockStep,
    ) -> Result<(), AdminError> {
        let method = format!("/restapis/{api}/resources/{resource}/methods/GET");
        let (path, body) = match step {
            MockStep::Method => (method, json!({ "authorizationType": "NONE" })),
            MockStep::MethodResponse => (format!("{method}/responses/200"), json!({})),
            MockStep::Integration => {
                let templates = json!({ "application/json": "{\"statusCode\": 200}" });
                let body = json!({ "type": "MOCK", "requestTemplates": templates });
                (format!("{method}/integration"), body)
            }
            MockStep::IntegrationResponse => {
                let templates = json!({ "application/json": "{\"ok\": true}" });
                let body = json!({ "responseTemplates": templates });
                (format!("{method}/integration/responses/200"), body)
            }
        };
        self.call("PUT", &path, "", Some(&body)).map(drop)
    }

    /// GetRestApi.
    pub fn get(&mut self, api: &str) -> Result<(), AdminError> {
        self.call("GET", &format!("/restapis/{api}"), "", None).map(drop)
    }

    /// UpdateRestApi: a new description.
    pub fn describe(&mut self, api: &str, text: &str) -> Result<(), AdminError> {
        let step = json!({ "op": "replace", "path": "/description", "value": text });
        let body = json!({ "patchOperations": [step] });
        self.call("PATCH", &format!("/restapis/{api}"), "", Some(&body)).map(drop)
    }

    /// GetRestApis: a page of 25 behind a position. Answers the next one's.
    pub fn page(&mut self, position: Option<&str>) -> Result<Option<String>, AdminError> {
        let query = position.map_or_else(
            || "limit=25".to_owned(),
            |position| format!("limit=25&position={}", sigv4::encode(position)),
        );
        let list = self.call("GET", "/restapis", &query, None)?;
        Ok(list["position"].as_str().map(str::to_owned))
    }

    /// GetResources: the first page of 500, each with its methods in full. Answers the body as it came, unread: reading it
    /// would cost as much as the call.
    pub fn resources(&mut self, api: &str) -> Result<Vec<u8>, AdminError> {
        let path = format!("/restapis/{api}/resources");
        let answer = self.send("GET", &path, "embed=methods&limit=500", b"")?;
        accept(&path, answer)
    }

    /// How many entries a list's body has; none when it is no list.
    pub fn entries(body: &[u8]) -> usize {
        serde_json::from_slice(body).map_or(0, |list| items(&list).len())
    }

    /// ImportRestApi. Answers the new API's id.
    pub fn import(&mut self, document: &str) -> Result<String, AdminError> {
        let call = "POST /restapis?mode=import";
        let answer = self.send("POST", "/restapis", "mode=import", document.as_bytes())?;
        let answer = self.check(call, answer)?;
        text(&answer, "id", call)
    }

    /// CreateDeployment, also into a stage. Answers the deployment's id.
    pub fn deploy(&mut self, api: &str, stage: Option<&str>) -> Result<String, AdminError> {
        let body = stage.map_or_else(|| json!({}), |stage| json!({ "stageName": stage }));
        let path = format!("/restapis/{api}/deployments");
        let answer = self.call("POST", &path, "", Some(&body))?;
        text(&answer, "id", &path)
    }

    /// The id of the resource at a path.
    pub fn resource(&mut self, api: &str, path: &str) -> Result<String, AdminError> {
        let call = format!("/restapis/{api}/resources");
        let list = self.call("GET", &call, "limit=500", None)?;
        let found = items(&list).iter().find(|resource| resource["path"] == path);
        found.map_or_else(|| text(&list, "id", &call), |resource| text(resource, "id", &call))
    }

    /// PutIntegrationResponse: the template that answers `GET` of a MOCK integration with status 200.
    pub fn put_answer(&mut self, api: &str, resource: &str, body: &str) -> Result<(), AdminError> {
        let path =
            format!("/restapis/{api}/resources/{resource}/methods/GET/integration/responses/200");
        let response = json!({ "responseTemplates": { "application/json": body } });
        self.call("PUT", &path, "", Some(&response)).map(drop)
    }

    /// UpdateIntegration: the timeout of a GET integration.
    pub fn set_timeout(
        &mut self,
        api: &str,
        resource: &str,
        millis: usize,
    ) -> Result<(), AdminError> {
        let path = format!("/restapis/{api}/resources/{resource}/methods/GET/integration");
        let operation =
            json!({ "op": "replace", "path": "/timeoutInMillis", "value": millis.to_string() });
        self.call("PATCH", &path, "", Some(&json!({ "patchOperations": [operation] }))).map(drop)
    }

    fn call(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        body: Option<&Value>,
    ) -> Result<Value, AdminError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.send(method, path, query, body.as_bytes())?;
        self.check(&format!("{method} {path}"), answer)
    }

    fn check(&self, call: &str, answer: Answer) -> Result<Value, AdminError> {
        let body = accept(call, answer)?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        let broken = |error: serde_json::Error| AdminError::Io {
            address: self.address,
            call: call.to_owned(),
            cause: error.into(),
        };
        serde_json::from_slice(&body).map_err(broken)
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Result<Answer, AdminError> {
        let request = self.request(method, path, query, body, OffsetDateTime::now_utc());
        self.exchange(&request).map_err(|cause| {
            self.client = None;
            AdminError::Io { address: self.address, call: format!("{method} {path}"), cause }
        })
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.address, None, Duration::from_secs(30))?,
        };
        let answer = client.exchange(request)?;
        if answer.outcome.keep_alive {
            self.client = Some(client);
        }
        Ok(answer)
    }

    /// The signed request as bytes.
    fn request(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Vec<u8> {
        let form = format_description!("[year][month][day]T[hour][minute][second]Z");
        let time = now.format(&form).unwrap_or_default();
        let host = self.address.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("host", host.as_str()),
            ("x-amz-date", time.as_str()),
        ];
        let signable = Signable { method, path, query, headers: &headers, body, time: &time };
        let authorization = sigv4::authorization(&self.credentials, &signable);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut bytes = format!(
            "{method} {path}{mark}{query} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             X-Amz-Date: {time}\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }
}

/// The body of an answer, unless that is a refusal.
fn accept(call: &str, answer: Answer) -> Result<Vec<u8>, AdminError> {
    let (status, call) = (answer.outcome.status, call.to_owned());
    if status >= 300 {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(AdminError::Refused { call, status, body });
    }
    Ok(answer.body)
}

/// A list's entries: one member is named `item` on the wire, `items` in some tools.
fn items(list: &Value) -> &[Value] {
    ["item", "items"].into_iter().find_map(|name| list[name].as_array()).map_or(&[], Vec::as_slice)
}

fn text(answer: &Value, field: &'static str, call: &str) -> Result<String, AdminError> {
    let incomplete =
        || AdminError::Incomplete { call: call.to_owned(), field, body: answer.to_string() };
    answer[field].as_str().map(str::to_owned).ok_or_else(incomplete)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn requests_are_signed() {
        let admin = Admin::new(SocketAddr::from(([127, 0, 0, 1], 4700)));
        let bytes =
            admin.request("GET", "/restapis", "limit=500", b"", datetime!(2030-01-02 03:04:05 UTC));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("GET /restapis?limit=500 HTTP/1.1\r\nHost: 127.0.0.1:4700\r\n"));
        assert!(text.contains("X-Amz-Date: 20300102T030405Z\r\n"));
        let scope = "Credential=AKIALOADTEST/20300102/us-east-1/apigateway/aws4_request, SignedHeaders=content-type;host";
        assert!(text.contains(scope));
    }

    #[test]
    fn lists() {
        assert_eq!(items(&json!({ "item": [1, 2] })).len(), 2);
        assert!(items(&json!({})).is_empty());
    }
}
