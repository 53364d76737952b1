//! All functions of a host: found by name, replaced when what they are made of changes, let go of in the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::declaration::{self, BadDeclaration, Declaration};
use crate::function::Function;
use crate::process::Surroundings;

/// The functions of a file.
#[derive(Debug)]
pub struct Host {
    file: PathBuf,
    surroundings: Surroundings,
    functions: RwLock<BTreeMap<String, Arc<Function>>>,
}

impl Host {
    /// The functions that the file declares. None of them has a process yet.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(file: &Path, surroundings: Surroundings) -> Result<Arc<Self>, BadDeclaration> {
        let host = Self { file: file.to_owned(), surroundings, functions: RwLock::default() };
        host.reload()?;
        Ok(Arc::new(host))
    }

    /// Where the functions are declared.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Part of ARNs.
    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<Arc<Function>> {
        self.read().get(name).cloned()
    }

    /// All functions by name.
    pub fn functions(&self) -> Vec<Arc<Function>> {
        self.read().values().cloned().collect()
    }

    /// Reads the file again. Functions that are declared as before go on undisturbed.
    ///
    /// # Errors
    /// If the file cannot be used; then everything stays as it is.
    pub fn reload(&self) -> Result<(), BadDeclaration> {
        let declared = declaration::load(&self.file)?;
        // One lock from beginning to end: nobody sees a host without functions.
        let mut held = self.write();
        let mut gone = std::mem::take(&mut *held);
        let mut functions = BTreeMap::new();
        for declaration in declared {
            let name = declaration.name.clone();
            let function = match gone.remove(&name) {
                Some(same) if *same.declaration() == declaration => same,
                replaced => {
                    gone.extend(replaced.map(|old| (name.clone(), old)));
                    self.make(declaration)
                }
            };
            functions.insert(name, function);
        }
        *held = functions;
        drop(held);
        for function in gone.into_values() {
            function.retire();
        }
        Ok(())
    }

    /// Starts new processes for the function's next invocations.
    pub fn renew(&self, name: &str) {
        let mut functions = self.write();
        if let Some(held) = functions.get_mut(name) {
            let renewed = self.make(held.declaration().clone());
            std::mem::replace(held, renewed).retire();
        }
    }

    fn make(&self, declaration: Declaration) -> Arc<Function> {
        if !declaration.directory.is_dir() {
            tracing::warn!(
                "function {}: {} is no directory; invocations fail until it is there",
                declaration.name,
                declaration.directory.display()
            );
        }
        Function::new(declaration, self.surroundings.clone())
    }

    /// Lets go of processes that had no work for long, again and again.
    pub async fn look_after(self: Arc<Self>) {
        let mut tick = tokio::time::interval(SHRINK);
        loop {
            tick.tick().await;
            let now = Instant::now();
            self.functions().iter().for_each(|function| function.shrink(now));
        }
    }

    /// Waits until no function works any more, for at most `limit`, and lets go of all processes.
    pub async fn stop(&self, limit: Duration) {
        let functions = std::mem::take(&mut *self.write());
        let working = || functions.values().any(|function| function.counts().1 > 0);
        let end = Instant::now() + limit;
        while working() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ending: Vec<_> = functions.values().flat_map(|function| function.retire()).collect();
        for process in ending {
            let _ = process.await;
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Function>>> {
        self.functions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Function>>> {
        self.functions.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often processes without work are looked at.
const SHRINK: Duration = Duration::from_secs(1);
