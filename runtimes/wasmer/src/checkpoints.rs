//! Looks at a flag after everything that takes its time outside of the function's own code, where no interrupt counts:
//! calls that may reach the host, and operations on memory and tables. Loops and arithmetic stay as they are.

use std::sync::{Mutex, PoisonError};
use wasmer::sys::wasmparser::{BlockType, Operator};
use wasmer::sys::{FunctionMiddleware, MiddlewareError, MiddlewareReaderState, ModuleMiddleware};
use wasmer::{GlobalInit, GlobalType, LocalFunctionIndex, ModuleInfo, Mutability, Type};

/// Adds the flag, a module's last global, and the checks. An engine compiles one module at a time.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    module: Mutex<Checks>,
}

/// What the checks of a module need to know.
#[derive(Clone, Copy, Debug, Default)]
struct Checks {
    imported_functions: u32,
    flag: u32,
}

impl ModuleMiddleware for Checkpoints {
    fn transform_module_info(&self, module: &mut ModuleInfo) -> Result<(), MiddlewareError> {
        let flag = module.globals.push(GlobalType::new(Type::I32, Mutability::Var));
        module.global_initializers.push(GlobalInit::I32Const(0));
        let imported_functions = u32::try_from(module.num_imported_functions).unwrap_or(u32::MAX);
        let checks = Checks { imported_functions, flag: flag.as_u32() };
        *self.module.lock().unwrap_or_else(PoisonError::into_inner) = checks;
        Ok(())
    }

    fn generate_function_middleware<'a>(&self, _function: LocalFunctionIndex) -> Box<dyn FunctionMiddleware<'a> + 'a> {
        Box::new(*self.module.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> FunctionMiddleware<'a> for Checks {
    fn feed(&mut self, operator: Operator<'a>, state: &mut MiddlewareReaderState<'a>) -> Result<(), MiddlewareError> {
        let leaves = self.leaves(&operator);
        state.push_operator(operator);
        if leaves {
            state.extend([
                Operator::GlobalGet { global_index: self.flag },
                Operator::If { blockty: BlockType::Empty },
                Operator::Unreachable,
                Operator::End,
            ]);
        }
        Ok(())
    }
}

impl Checks {
    /// Whether it may run other code than the function's.
    fn leaves(&self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::Call { function_index } => *function_index < self.imported_functions,
            Operator::CallIndirect { .. }
            | Operator::MemoryGrow { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. } => true,
            _ => false,
        }
    }
}
