//! The kinds of traffic, one module each.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant = $code),+ }
        impl $name {
            /// Every variant, in order of code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The code in the column.
            pub fn code(self) -> i32 { self as i32 }
            /// The variant of a code.
            pub fn from_code(code: i32) -> Option<Self> { Self::ALL.iter().copied().find(|v| v.code() == code) }
            /// The one spelling, in kebab case.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $text),+ } }
            /// The variant of that name.
            pub fn parse(name: &str) -> Option<Self> { Self::ALL.iter().copied().find(|v| v.name() == name) }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.name()) }
        }
    };
}

/// Columns of one kind of traffic: the row as a struct, its schema, and a builder of batches, all from
/// one list so that they cannot differ.
macro_rules! columns {
    ($(#[$doc:meta])* $row:ident { $($(#[$cdoc:meta])* $column:ident: $type:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $row { $($(#[$cdoc])* pub $column: $type),+ }

        static SCHEMA: std::sync::LazyLock<arrow_schema::SchemaRef> = std::sync::LazyLock::new(|| {
            std::sync::Arc::new(arrow_schema::Schema::new(vec![
                $(arrow_schema::Field::new(stringify!($column), super::columns!(@kind $type), false)),+
            ]))
        });

        /// The Arrow schema of this kind.
        pub fn schema() -> arrow_schema::SchemaRef {
            SCHEMA.clone()
        }

        /// Gathers rows into batches of the schema.
        #[derive(Debug, Default)]
        pub struct Builder { $($column: Vec<$type>),+ }

        impl Builder {
            /// Adds a row.
            pub fn push(&mut self, row: &$row) {
                $(self.$column.push(row.$column);)+
            }

            /// Rows since the last batch.
            pub fn len(&self) -> usize {
                super::columns!(@first self $($column)+).len()
            }

            /// True where no row came since the last batch.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The rows since the last batch, as a batch.
            pub fn finish(&mut self) -> arrow_array::RecordBatch {
                let columns: Vec<arrow_array::ArrayRef> = vec![
                    $({
                        let rows = self.$column.len();
                        let full = std::mem::replace(&mut self.$column, Vec::with_capacity(rows));
                        std::sync::Arc::new(<super::columns!(@array $type)>::from(full))
                    }),+
                ];
                arrow_array::RecordBatch::try_new(schema(), columns)
                    .expect("internal error: the builders follow the schema")
            }
        }

        /// A batch from rows: for generators and tests.
        pub fn batch(rows: &[$row]) -> arrow_array::RecordBatch {
            let mut builder = Builder::default();
            for row in rows {
                builder.push(row);
            }
            builder.finish()
        }

        /// The rows of a batch: for tests, and where there are few.
        pub fn rows(batch: &arrow_array::RecordBatch) -> Vec<$row> {
            use arrow_array::cast::AsArray;
            $(let $column = batch
                .column_by_name(stringify!($column))
                .expect("internal error: the batch follows the schema")
                .as_primitive::<super::columns!(@arrow $type)>()
                .values();)+
            (0..batch.num_rows()).map(|row| $row { $($column: $column[row]),+ }).collect()
        }
    };
    (@kind i32) => { arrow_schema::DataType::Int32 };
    (@kind i64) => { arrow_schema::DataType::Int64 };
    (@array i32) => { arrow_array::Int32Array };
    (@array i64) => { arrow_array::Int64Array };
    (@arrow i32) => { arrow_array::types::Int32Type };
    (@arrow i64) => { arrow_array::types::Int64Type };
    (@first $self:ident $column:ident $($rest:ident)*) => { $self.$column };
}

pub(crate) use {codes, columns};

pub mod flow;
pub mod login;
pub mod lookup;
pub mod post;
pub mod rate;
pub mod request;
pub mod tls;

use arrow_array::RecordBatch;

codes!(
    /// The kinds of traffic.
    Kind {
        /// What accounts do with shareable objects: [`post`].
        Post = 0 "post",
        /// A conversation of two hosts, or one direction of it: [`flow`].
        Flow = 1 "flow",
        /// A request to a web server: [`request`].
        Request = 2 "request",
        /// A DNS query: [`lookup`].
        Lookup = 3 "lookup",
        /// An attempt to log in: [`login`].
        Login = 4 "login",
        /// A TLS handshake: [`tls`].
        Tls = 5 "tls",
        /// Counts per time step, where there are no rows: [`rate`].
        Rate = 6 "rate",
    }
);

/// Rows of one kind.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What they are.
    pub kind: Kind,
    /// The rows, with the columns of the kind's schema.
    pub rows: RecordBatch,
}

impl Batch {
    /// Of that kind.
    pub fn new(kind: Kind, rows: RecordBatch) -> Self {
        Self { kind, rows }
    }
}
