//! `isobar reproduce thesis`: the evaluation of "Efficient Serverless Computing with WebAssembly" (2023), measured again and
//! put beside what was published. Pages and figures are pure functions of the records.

mod evidence;
mod figures;
pub mod items;
mod number;
mod page;
pub mod parts;
mod published;
mod questions;
pub mod servers;

pub use evidence::{Evidence, ServerTimes};
pub use number::Number;
pub use page::page;
pub use published::{Claim, Published, Source, Value};
pub use questions::{Answer, Verdict, answers};
