//! What it takes to make a call again.
#![allow(unsafe_code, reason = "keeps a call in the interpreter's own calling convention")]

use crate::bindings::call::{Arguments, Call, Callee};
use crate::bindings::last::Last;
use crate::bindings::native::visit;
use crate::time::Nanos;
use pyo3::ffi;
use std::ffi::{c_int, c_void};
use std::ptr;

/// What it takes to make a call again later, when its caller's arguments are gone.
pub struct Again {
    /// Both owned, as are the values and their names. NULL: the collector has been.
    callee: Callee,
    values: Values,
    count: usize,
    names: *mut ffi::PyObject,
    /// How many steps have let the call in: fewer while it waits to be made once more.
    pub entered: usize,
    /// How often it was made.
    pub runs: u32,
    /// When the work of the last attempt began; 0 while none is made, or if no step asks.
    pub started: Nanos,
    /// What the last attempt came to, while the next is waited for.
    pub last: Option<Box<Last>>,
}

// SAFETY: its objects are touched by attached threads only.
unsafe impl Send for Again {}

/// So many arguments are kept in place: most calls have no more, and are spared an allocation.
const FEW: usize = 4;

/// Objects that are owned.
struct Values {
    /// The first so many of these, unless there are more than have a place here.
    few: [*mut ffi::PyObject; FEW],
    count: usize,
    many: Vec<*mut ffi::PyObject>,
}

impl Values {
    /// A further reference to each of `count` objects from `first` on.
    ///
    /// # Safety
    /// Attached; they are alive.
    #[inline(always)]
    unsafe fn keep(first: *const *mut ffi::PyObject, count: usize) -> Self {
        let mut values = Self { few: [ptr::null_mut(); FEW], count, many: Vec::new() };
        // SAFETY: as the caller promises.
        let kept = |at| unsafe { ffi::Py_NewRef(*first.add(at)) };
        if count > FEW {
            values.many = (0..count).map(kept).collect();
        } else {
            for (at, place) in values.few.iter_mut().enumerate().take(count) {
                *place = kept(at);
            }
        }
        values
    }

    fn get(&self) -> &[*mut ffi::PyObject] {
        if self.count > FEW { &self.many } else { &self.few[..self.count] }
    }

    /// Lets go of them.
    ///
    /// # Safety
    /// Attached.
    unsafe fn let_go(&mut self) {
        // Whose end it is may lead back here, and is to find nothing.
        let (few, count) = (self.few, std::mem::take(&mut self.count));
        let many = std::mem::take(&mut self.many);
        let all = if count > FEW { &many[..] } else { &few[..count] };
        for &value in all {
            // SAFETY: ours.
            unsafe { ffi::Py_DECREF(value) };
        }
    }
}

impl Again {
    /// Keeps the call, which `entered` steps have let in.
    ///
    /// # Safety
    /// Attached; `callee` is alive and the arguments follow the vectorcall convention.
    #[inline(always)]
    pub unsafe fn keep(callee: Callee, arguments: Arguments, entered: usize) -> Self {
        let Arguments { values, count, names } = arguments;
        let positional = count & !ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        // SAFETY: as the caller promises; each object is counted once more for us.
        unsafe {
            let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
            let all = positional + named.cast_unsigned();
            let values = Values::keep(values, all);
            ffi::Py_XINCREF(names);
            ffi::Py_INCREF(callee.object);
            Self {
                callee,
                values,
                count: positional,
                names,
                entered,
                runs: 1,
                started: 0,
                last: None,
            }
        }
    }

    /// The call, as far as it decides what state of a policy it belongs to.
    pub fn call(&self) -> Call {
        Call { callee: self.callee.object, arguments: self.arguments() }
    }

    fn arguments(&self) -> Arguments {
        Arguments { values: self.values.get().as_ptr(), count: self.count, names: self.names }
    }

    /// Makes it once more. A new reference, or NULL with an exception set.
    ///
    /// # Safety
    /// Attached, and the collector has not been.
    pub unsafe fn make(&mut self) -> *mut ffi::PyObject {
        self.runs = self.runs.saturating_add(1);
        // SAFETY: as the caller promises; what is called owns its own references, and so do we.
        unsafe { self.callee.call(self.arguments()) }
    }

    /// Shows the collector what is kept.
    ///
    /// # Safety
    /// Called by the collector.
    pub unsafe fn traverse(&self, visitor: ffi::visitproc, arg: *mut c_void) -> c_int {
        let last = self.last.as_ref().map_or(ptr::null_mut(), |last| last.object());
        let others = [self.callee.object, self.names, last];
        for object in self.values.get().iter().copied().chain(others) {
            // SAFETY: as the caller promises; these are the references it owns.
            let met = unsafe { visit(object, visitor, arg) };
            if met != 0 {
                return met;
            }
        }
        0
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Again {
    /// Lets go of the call, which will not be made any more.
    pub fn let_go(&mut self) {
        if self.last.is_some() {
            drop(self.last.take());
        }
        // SAFETY: whoever keeps a call lets go of it attached; each reference is ours.
        unsafe {
            self.values.let_go();
            ffi::Py_XDECREF(std::mem::replace(&mut self.names, ptr::null_mut()));
            ffi::Py_XDECREF(std::mem::replace(&mut self.callee.object, ptr::null_mut()));
        }
    }
}
