//! Hands the interpreter's version to the bindings as `cfg`s (`Py_3_12`, `Py_GIL_DISABLED`, …).

fn main() {
    // Without the feature no interpreter is looked for: the core builds where there is none.
    #[cfg(feature = "python")]
    pyo3_build_config::use_pyo3_cfgs();
}
