//! The function as a library.

#[path = "main.rs"]
mod function;

input::library!(function::main);
