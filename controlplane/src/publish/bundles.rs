//! Bundles on their way to nodes: read once, shared by the streams that want them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use prost::Message;

use crate::model::ContentHash;
use crate::store::{Store, StoreError};

/// The bundles that were lately asked for.
pub struct Bundles {
    store: Arc<dyn Store>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    held: HashMap<ContentHash, Arc<Bundle>>,
    /// Oldest first.
    order: VecDeque<ContentHash>,
    bytes: usize,
}

/// A bundle and whose it is.
#[derive(Debug)]
pub struct Bundle {
    /// The API it belongs to.
    pub api_id: String,
    /// As it is stored and sent.
    pub bytes: Bytes,
}

/// The beginning of a bundle. A blob that is none does not decode, or names no API.
#[derive(Clone, PartialEq, prost::Message)]
struct Owner {
    #[prost(uint32, tag = "1")]
    dialect: u32,
    #[prost(string, tag = "2")]
    api_id: String,
}

impl Bundles {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, cache: Mutex::default() }
    }

    /// The bundle with this id; `None` when there is none. Blobs that are no bundles are not given out.
    pub async fn get(&self, id: ContentHash) -> Result<Option<Arc<Bundle>>, StoreError> {
        if let Some(held) = self.lock().held.get(&id) {
            return Ok(Some(held.clone()));
        }
        let Some(bytes) = self.store.blob(id).await? else { return Ok(None) };
        let bytes = Bytes::from(bytes);
        let Ok(owner) = Owner::decode(bytes.clone()) else { return Ok(None) };
        if owner.dialect == 0 || owner.api_id.is_empty() {
            return Ok(None);
        }
        let bundle = Arc::new(Bundle { api_id: owner.api_id, bytes });
        self.lock().insert(id, bundle.clone());
        Ok(Some(bundle))
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn insert(&mut self, id: ContentHash, bundle: Arc<Bundle>) {
        self.bytes += bundle.bytes.len();
        if let Some(before) = self.held.insert(id, bundle) {
            self.bytes -= before.bytes.len();
        } else {
            self.order.push_back(id);
        }
        while self.bytes > BUDGET {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some(gone) = self.held.remove(&oldest) {
                self.bytes -= gone.bytes.len();
            }
        }
    }
}

/// Bytes kept: a new deployment is asked for by every node within moments, and by nobody later.
const BUDGET: usize = 64 << 20;
