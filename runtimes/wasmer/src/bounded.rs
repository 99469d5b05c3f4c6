//! Memory limits: tunables that count an invocation's memory when it grows, and nothing in compiled code.

use isobar_core::settings;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use wasmer::sys::vm::{
    LinearMemory, MemoryError, MemoryStyle, TableStyle, VMConfig, VMGlobal, VMGlobalDefinition, VMMemory,
    VMMemoryDefinition, VMTable, VMTableDefinition,
};
use wasmer::sys::{BaseTunables, Tunables};
use wasmer::{GlobalType, MemoryType, Pages, TableType, WASM_PAGE_SIZE};

/// What an element of a table takes, at most.
const TABLE_ELEMENT_BYTES: u64 = 16;

/// What an invocation may take, and whether it wanted more.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_bytes: u64,
    refused: AtomicBool,
}

impl Budget {
    pub fn new(limit_bytes: u64) -> Arc<Self> {
        Arc::new(Budget { limit_bytes, refused: AtomicBool::new(false) })
    }

    /// Whether it wanted more.
    pub fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    fn grants(&self, bytes: u64) -> bool {
        let granted = bytes <= self.limit_bytes;
        if !granted {
            self.refused.store(true, Ordering::Relaxed);
        }
        granted
    }
}

/// Where the instance has the flag that ends it, if its module was compiled with [`crate::checkpoints`]: its last global.
pub(crate) type Flag = Arc<AtomicPtr<VMGlobalDefinition>>;

/// The tunables of one invocation. (The proposals that are enabled allow an instance one memory.)
pub(crate) struct Bounded {
    budget: Arc<Budget>,
    flag: Option<Flag>,
    base: BaseTunables,
    config: VMConfig,
}

impl Bounded {
    /// `flag` is set when the instance is made.
    pub fn new(budget: Arc<Budget>, flag: Option<Flag>) -> Self {
        let config = VMConfig { wasm_stack_size: Some(settings::STACK_BYTES) };
        Bounded { budget, flag, base: BaseTunables::new(), config }
    }

    fn check(&self, ty: &MemoryType) -> Result<(), MemoryError> {
        if self.budget.grants(bytes(ty.minimum)) {
            return Ok(());
        }
        Err(MemoryError::Generic(format!("{} bytes are beyond the limit", bytes(ty.minimum))))
    }

    fn wrap(&self, memory: VMMemory) -> VMMemory {
        VMMemory(Box::new(BoundedMemory { memory, budget: self.budget.clone() }))
    }

    fn within(&self, ty: &TableType) -> Result<TableType, String> {
        if !self.budget.grants(u64::from(ty.minimum) * TABLE_ELEMENT_BYTES) {
            return Err(format!("a table of {} elements is beyond the limit", ty.minimum));
        }
        let most = u32::try_from(self.budget.limit_bytes / TABLE_ELEMENT_BYTES).unwrap_or(u32::MAX);
        Ok(TableType { maximum: Some(ty.maximum.unwrap_or(u32::MAX).min(most)), ..*ty })
    }
}

fn bytes(pages: Pages) -> u64 {
    u64::from(pages.0) * WASM_PAGE_SIZE as u64
}

impl Tunables for Bounded {
    fn memory_style(&self, memory: &MemoryType) -> MemoryStyle {
        self.base.memory_style(memory)
    }

    fn table_style(&self, table: &TableType) -> TableStyle {
        self.base.table_style(table)
    }

    fn create_host_memory(&self, ty: &MemoryType, style: &MemoryStyle) -> Result<VMMemory, MemoryError> {
        self.check(ty)?;
        Ok(self.wrap(self.base.create_host_memory(ty, style)?))
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        self.check(ty)?;
        // SAFETY: the caller's promise, handed on.
        Ok(self.wrap(unsafe { self.base.create_vm_memory(ty, style, location) }?))
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(&self.within(ty)?, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        location: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.base.create_vm_table(&self.within(ty)?, style, location) }
    }

    unsafe fn create_vm_global(
        &self,
        ty: GlobalType,
        location: NonNull<VMGlobalDefinition>,
    ) -> Result<VMGlobal, String> {
        if let Some(flag) = &self.flag {
            flag.store(location.as_ptr(), Ordering::Release);
        }
        // SAFETY: the caller's promise, handed on.
        unsafe { self.base.create_vm_global(ty, location) }
    }

    fn vmconfig(&self) -> &VMConfig {
        &self.config
    }
}

/// A memory that asks the budget before it grows.
#[derive(Debug)]
struct BoundedMemory {
    memory: VMMemory,
    budget: Arc<Budget>,
}

impl LinearMemory for BoundedMemory {
    fn ty(&self) -> MemoryType {
        self.memory.ty()
    }

    fn size(&self) -> Pages {
        self.memory.size()
    }

    fn style(&self) -> MemoryStyle {
        self.memory.style()
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let current = self.memory.size();
        if !self.budget.grants(bytes(current) + bytes(delta)) {
            return Err(MemoryError::CouldNotGrow { current, attempted_delta: delta });
        }
        self.memory.grow(delta)
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.memory.vmmemory()
    }

    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync>, MemoryError> {
        self.memory.0.try_clone()
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync>, MemoryError> {
        self.memory.0.copy()
    }
}
