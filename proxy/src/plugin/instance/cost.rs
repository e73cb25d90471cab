//! What answers cost, for those who try a plugin out.

use super::{Instances, Remembered};
use crate::chain::Failure;

/// What an answer cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Fuel: about an instruction each.
    pub fuel: u64,
    /// The memory that the instance has taken so far, in bytes.
    pub memory: usize,
}

impl Instances {
    /// What the last answer of a plugin cost. None where it failed, or was remembered from before.
    pub fn cost(&self, plugin: usize) -> Option<Cost> {
        let idle = self.of[plugin].idle.borrow();
        let last = idle.last()?;
        Some(Cost {
            fuel: last.fuel.saturating_sub(last.store.get_fuel().ok()?),
            memory: self.plugins[plugin].limits.memory - last.store.data().memory.left(),
        })
    }

    /// Forgets what a plugin answered, so that it is asked again.
    pub fn forget(&self, plugin: usize) {
        self.of[plugin].remembered.replace(Remembered::default());
    }

    /// Puts a fresh instance in the place of those that a plugin has.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn renew(&self, plugin: usize) -> Result<(), Failure> {
        let (fresh, _) = self.plugins[plugin].instance(false).await?;
        self.of[plugin].idle.replace(vec![fresh]);
        Ok(())
    }
}
