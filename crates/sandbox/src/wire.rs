//! What stands between a fake forge and the network: trouble on demand, records, schemas.

use std::path::PathBuf;
#[cfg(feature = "conformance")]
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

#[cfg(feature = "conformance")]
use crate::conformance::{Schemas, Seen};
use crate::{
    SandboxError,
    answer::{Answer, Ending},
    calls::Call,
    faults::Plans,
    listen::{Exchange, delivery_client},
    record::Record,
    request::Request,
};

pub(crate) struct Wire {
    /// Sends deliveries.
    pub(crate) client: reqwest::Client,
    pub(crate) plans: Plans,
    record: Option<Record>,
    #[cfg(feature = "conformance")]
    schemas: Option<Mutex<Schemas>>,
}

/// What the published schemas say against an exchange.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Against what was asked.
    pub(crate) request: Vec<String>,
    /// Against our own answer.
    pub(crate) answer: Vec<String>,
}

impl Wire {
    /// `forge` and `prefix` say which document the schemas are, and how its paths begin.
    #[cfg_attr(not(feature = "conformance"), expect(unused_variables, reason = "no schemas"))]
    pub(crate) fn new(
        record: Option<PathBuf>,
        schemas: Option<PathBuf>,
        forge: &str,
        prefix: &'static str,
    ) -> Result<Self, SandboxError> {
        #[cfg(not(feature = "conformance"))]
        if schemas.is_some() {
            return Err(SandboxError::Schemas("built without the feature `conformance`".into()));
        }
        Ok(Self {
            client: delivery_client()?,
            plans: Plans::default(),
            record: record.map(Record::create).transpose()?,
            #[cfg(feature = "conformance")]
            schemas: match schemas {
                Some(folder) => Some(Mutex::new(Schemas::read(&folder, forge, prefix)?)),
                None => None,
            },
        })
    }

    /// What there is to keep of an exchange. `form` is the body, where it is one.
    pub(crate) fn exchanged(
        &self,
        exchange: &Exchange,
        request: &Request,
        route: Option<&str>,
        answer: &Answer,
        form: Option<Value>,
    ) -> (Call, Findings) {
        let lost = matches!(answer.ending, Ending::Dropped | Ending::Never);
        if let Some(record) = self.record.as_ref().filter(|_| !lost) {
            record.write(exchange, answer);
        }
        #[cfg(not(feature = "conformance"))]
        let found = Findings::default();
        #[cfg(feature = "conformance")]
        let found = match (self.schemas(), route) {
            // GraphQL is in no document of routes.
            (Some(mut schemas), Some(route)) if !lost && route != "/graphql" => {
                schemas.exchange(&Seen { request, route, form: form.as_ref(), answer })
            }
            _ => Findings::default(),
        };
        let call = Call {
            method: request.method.clone(),
            route: route.unwrap_or_default().to_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            caller: request.caller.clone(),
            body: form.or_else(|| serde_json::from_slice(&request.body).ok()),
            status: if lost { 0 } else { answer.status },
        };
        (call, found)
    }

    #[cfg(feature = "conformance")]
    pub(crate) fn schemas(&self) -> Option<MutexGuard<'_, Schemas>> {
        self.schemas.as_ref().map(|s| s.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
