//! Bytes to values. The bytes are trusted in nothing: what they claim is compared with what there is
//! before anything is made of it.

use super::{DEEPEST, VERSION, mark};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};
use rmp::Marker;

/// The value that was written as `data`.
///
/// `raise_leaf` is given the number of an extension and its bytes, `build` the name of a class and
/// fields; each makes a value of them.
#[pyfunction]
#[pyo3(signature = (data, raise_leaf, build, codec, /))]
pub fn unpack<'py>(
    data: &Bound<'py, PyBytes>,
    raise_leaf: &Bound<'py, PyAny>,
    build: &Bound<'py, PyAny>,
    codec: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let read = || match data.as_bytes().split_first() {
        Some((&VERSION, left)) => {
            let mut reader = Reader { py, left, raise_leaf, build };
            let value = reader.value(0)?;
            if reader.left.is_empty() {
                Ok(value)
            } else {
                Err(Bad::Malformed("it goes on after its end"))
            }
        }
        Some(_) => Err(Bad::Malformed("it is of a version that is not known here")),
        None => Err(Bad::Malformed("it is empty")),
    };
    read().map_err(|bad| bad.raised(py, codec))
}

enum Bad {
    Malformed(&'static str),
    Raised(PyErr),
}

impl From<PyErr> for Bad {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl Bad {
    fn raised(self, py: Python<'_>, codec: &str) -> PyErr {
        let problem = match self {
            Self::Malformed(problem) => problem,
            Self::Raised(error) => return error,
        };
        let build = || -> PyResult<PyErr> {
            let class = py.import("seawall.codecs.errors")?.getattr(intern!(py, "DecodeError"))?;
            Ok(PyErr::from_value(class.call1((codec, problem))?))
        };
        build().unwrap_or_else(|error| error)
    }
}

type Read<T> = Result<T, Bad>;

const SHORT: Bad = Bad::Malformed("it ends too early");
const TEXT: Bad = Bad::Malformed("a text is not UTF-8");

struct Reader<'a, 'py> {
    py: Python<'py>,
    left: &'a [u8],
    raise_leaf: &'a Bound<'py, PyAny>,
    build: &'a Bound<'py, PyAny>,
}

impl<'a, 'py> Reader<'a, 'py> {
    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(length).ok_or(SHORT)?;
        self.left = left;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, left) = self.left.split_first_chunk().ok_or(SHORT)?;
        self.left = left;
        Ok(*taken)
    }

    /// A length of one, two or four bytes.
    fn length(&mut self, size: u8) -> Read<usize> {
        let bytes = self.take(usize::from(size))?;
        Ok(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn value(&mut self, depth: usize) -> Read<Bound<'py, PyAny>> {
        let py = self.py;
        let [byte] = self.number()?;
        Ok(match Marker::from_u8(byte) {
            Marker::Null => py.None().into_bound(py),
            Marker::True => PyBool::new(py, true).to_owned().into_any(),
            Marker::False => PyBool::new(py, false).to_owned().into_any(),
            Marker::FixPos(number) => PyInt::new(py, number).into_any(),
            Marker::FixNeg(number) => PyInt::new(py, number).into_any(),
            Marker::U8 => PyInt::new(py, u8::from_be_bytes(self.number()?)).into_any(),
            Marker::U16 => PyInt::new(py, u16::from_be_bytes(self.number()?)).into_any(),
            Marker::U32 => PyInt::new(py, u32::from_be_bytes(self.number()?)).into_any(),
            Marker::U64 => PyInt::new(py, u64::from_be_bytes(self.number()?)).into_any(),
            Marker::I8 => PyInt::new(py, i8::from_be_bytes(self.number()?)).into_any(),
            Marker::I16 => PyInt::new(py, i16::from_be_bytes(self.number()?)).into_any(),
            Marker::I32 => PyInt::new(py, i32::from_be_bytes(self.number()?)).into_any(),
            Marker::I64 => PyInt::new(py, i64::from_be_bytes(self.number()?)).into_any(),
            Marker::F32 => {
                PyFloat::new(py, f64::from(f32::from_be_bytes(self.number()?))).into_any()
            }
            Marker::F64 => PyFloat::new(py, f64::from_be_bytes(self.number()?)).into_any(),
            Marker::FixStr(length) => self.text(usize::from(length))?,
            Marker::Str8 => self.length(1).and_then(|length| self.text(length))?,
            Marker::Str16 => self.length(2).and_then(|length| self.text(length))?,
            Marker::Str32 => self.length(4).and_then(|length| self.text(length))?,
            Marker::Bin8 => self.length(1).and_then(|length| self.bytes(length))?,
            Marker::Bin16 => self.length(2).and_then(|length| self.bytes(length))?,
            Marker::Bin32 => self.length(4).and_then(|length| self.bytes(length))?,
            Marker::FixArray(length) => self.array(usize::from(length), depth)?,
            Marker::Array16 => self.length(2).and_then(|length| self.array(length, depth))?,
            Marker::Array32 => self.length(4).and_then(|length| self.array(length, depth))?,
            Marker::FixMap(length) => self.map(usize::from(length), depth)?.into_any(),
            Marker::Map16 => self.length(2).and_then(|length| self.map(length, depth))?.into_any(),
            Marker::Map32 => self.length(4).and_then(|length| self.map(length, depth))?.into_any(),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => self.length(1).and_then(|length| self.extension(length))?,
            Marker::Ext16 => self.length(2).and_then(|length| self.extension(length))?,
            Marker::Ext32 => self.length(4).and_then(|length| self.extension(length))?,
            Marker::Reserved => return Err(Bad::Malformed("a byte that never stands there")),
        })
    }

    fn text(&mut self, length: usize) -> Read<Bound<'py, PyAny>> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| TEXT)?;
        Ok(PyString::new(self.py, text).into_any())
    }

    fn bytes(&mut self, length: usize) -> Read<Bound<'py, PyAny>> {
        Ok(PyBytes::new(self.py, self.take(length)?).into_any())
    }

    fn inside(&self, claimed: usize, least: usize, depth: usize) -> Read<()> {
        if depth >= DEEPEST {
            return Err(Bad::Malformed("it is nested too deep"));
        }
        // Each takes so many bytes at least: what claims more is not even begun.
        if claimed.saturating_mul(least) > self.left.len() { Err(SHORT) } else { Ok(()) }
    }

    /// A list, or what a mark at its beginning says.
    fn array(&mut self, length: usize, depth: usize) -> Read<Bound<'py, PyAny>> {
        self.inside(length, 1, depth)?;
        let kind = match self.left {
            [0xc7, 0, kind, ..] if length > 0 => i8::from_be_bytes([*kind]),
            _ => 0,
        };
        if !(mark::TUPLE..=mark::OBJECT).contains(&kind) {
            let list = PyList::empty(self.py);
            for _ in 0..length {
                list.append(self.value(depth + 1)?)?;
            }
            return Ok(list.into_any());
        }
        self.take(3)?;
        if kind == mark::OBJECT {
            return self.object(length, depth);
        }
        let mut items = Vec::new();
        for _ in 1..length {
            items.push(self.value(depth + 1)?);
        }
        let py = self.py;
        let length = items.len();
        let (set, members) = match kind {
            mark::TUPLE => return Ok(PyTuple::new(py, items)?.into_any()),
            mark::SET => {
                let set = PySet::new(py, items).map_err(|error| unhashable(py, error))?;
                let members = set.len();
                (set.into_any(), members)
            }
            _ => {
                let set = PyFrozenSet::new(py, items).map_err(|error| unhashable(py, error))?;
                let members = set.len();
                (set.into_any(), members)
            }
        };
        if members == length { Ok(set) } else { Err(Bad::Malformed("a set has a member twice")) }
    }

    fn object(&mut self, length: usize, depth: usize) -> Read<Bound<'py, PyAny>> {
        if length != 3 {
            return Err(Bad::Malformed("an object is no name with fields"));
        }
        let name = self.value(depth + 1)?;
        // A dict, no deeper than the object itself.
        let fields = self.value(depth)?;
        let named = fields.cast_exact::<PyDict>().is_ok_and(|fields| {
            fields.keys().iter().all(|field| field.is_exact_instance_of::<PyString>())
        });
        if !name.is_exact_instance_of::<PyString>() || !named {
            return Err(Bad::Malformed("an object is no name with fields"));
        }
        Ok(self.build.call1((name, fields))?)
    }

    fn map(&mut self, length: usize, depth: usize) -> Read<Bound<'py, PyDict>> {
        self.inside(length, 2, depth)?;
        let map = PyDict::new(self.py);
        for _ in 0..length {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            map.set_item(key, value).map_err(|error| unhashable(self.py, error))?;
        }
        if map.len() == length { Ok(map) } else { Err(Bad::Malformed("a dict has a key twice")) }
    }

    fn extension(&mut self, length: usize) -> Read<Bound<'py, PyAny>> {
        let [kind] = self.number()?;
        let kind = i8::from_be_bytes([kind]);
        let bytes = self.take(length)?;
        let py = self.py;
        match kind {
            mark::INTEGER => {
                let signed = PyDict::new(py);
                signed.set_item(intern!(py, "signed"), true)?;
                let class = py.get_type::<PyInt>();
                Ok(class.call_method(intern!(py, "from_bytes"), (bytes, "big"), Some(&signed))?)
            }
            mark::SURROGATES => {
                let bytes = PyBytes::new(py, bytes);
                let how = ("utf-8", "surrogatepass");
                bytes.call_method1(intern!(py, "decode"), how).map_err(|_| TEXT)
            }
            mark::FIRST_LEAF.. => Ok(self.raise_leaf.call1((kind, PyBytes::new(py, bytes)))?),
            _ => Err(Bad::Malformed("an extension that is not known here")),
        }
    }
}

fn unhashable(py: Python<'_>, error: PyErr) -> Bad {
    if error.is_instance_of::<PyTypeError>(py) {
        Bad::Malformed("a key or member can't be one")
    } else {
        error.into()
    }
}
