//! Tables of integer columns whose rows are a struct: one list of fields makes the schema, the builder and the
//! reader, so that they cannot differ.
//!
//! A field is a number, an address, a pair or list of these, or another such struct. Names of columns follow from the field's:
//! `dst: Address` is `dst_hi` and `dst_lo`, `busiest: [i64; 2]` is `busiest0` and `busiest1`.

use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use traffic::Address;

use super::gather::{Accounted, Emit, Kernel, MakeKernel, Tables, column_i32, column_i64};
use super::local::{EngineError, lock};

/// What a field of a row can be.
pub trait Cell: Copy {
    /// Values of many rows, under way to a batch.
    type Columns: Default + Send;
    /// Values of a batch.
    type Values<'a>: Copy;

    /// Adds the fields of the schema.
    fn fields(name: &str, fields: &mut Vec<Field>);
    /// Adds one value.
    fn push(self, columns: &mut Self::Columns);
    /// Takes the columns, leaving them empty.
    fn take(columns: &mut Self::Columns, arrays: &mut Vec<ArrayRef>);
    /// Finds the columns of a batch.
    fn values<'a>(name: &str, batch: &'a RecordBatch) -> Self::Values<'a>;
    /// One value.
    fn at(values: &Self::Values<'_>, row: usize) -> Self;
}

macro_rules! number {
    ($type:ty, $kind:ident, $array:ident, $column:ident) => {
        impl Cell for $type {
            type Columns = Vec<$type>;
            type Values<'a> = &'a [$type];

            fn fields(name: &str, fields: &mut Vec<Field>) {
                fields.push(Field::new(name, DataType::$kind, false));
            }

            #[inline]
            fn push(self, columns: &mut Self::Columns) {
                columns.push(self);
            }

            fn take(columns: &mut Self::Columns, arrays: &mut Vec<ArrayRef>) {
                let next = Vec::with_capacity(columns.len());
                arrays.push(Arc::new($array::from(std::mem::replace(columns, next))));
            }

            fn values<'a>(name: &str, batch: &'a RecordBatch) -> Self::Values<'a> {
                $column(batch, name)
            }

            #[inline]
            fn at(values: &Self::Values<'_>, row: usize) -> Self {
                values[row]
            }
        }
    };
}

number!(i32, Int32, Int32Array, column_i32);
number!(i64, Int64, Int64Array, column_i64);

impl Cell for Address {
    type Columns = (Vec<i64>, Vec<i64>);
    type Values<'a> = (&'a [i64], &'a [i64]);

    fn fields(name: &str, fields: &mut Vec<Field>) {
        i64::fields(&format!("{name}_hi"), fields);
        i64::fields(&format!("{name}_lo"), fields);
    }

    #[inline]
    fn push(self, columns: &mut Self::Columns) {
        columns.0.push(self.hi);
        columns.1.push(self.lo);
    }

    fn take(columns: &mut Self::Columns, arrays: &mut Vec<ArrayRef>) {
        i64::take(&mut columns.0, arrays);
        i64::take(&mut columns.1, arrays);
    }

    fn values<'a>(name: &str, batch: &'a RecordBatch) -> Self::Values<'a> {
        (i64::values(&format!("{name}_hi"), batch), i64::values(&format!("{name}_lo"), batch))
    }

    #[inline]
    fn at(values: &Self::Values<'_>, row: usize) -> Self {
        Self { hi: values.0[row], lo: values.1[row] }
    }
}

impl<A: Cell, B: Cell> Cell for (A, B) {
    type Columns = (A::Columns, B::Columns);
    type Values<'a> = (A::Values<'a>, B::Values<'a>);

    fn fields(name: &str, fields: &mut Vec<Field>) {
        A::fields(&format!("{name}_a"), fields);
        B::fields(&format!("{name}_b"), fields);
    }

    fn push(self, columns: &mut Self::Columns) {
        self.0.push(&mut columns.0);
        self.1.push(&mut columns.1);
    }

    fn take(columns: &mut Self::Columns, arrays: &mut Vec<ArrayRef>) {
        A::take(&mut columns.0, arrays);
        B::take(&mut columns.1, arrays);
    }

    fn values<'a>(name: &str, batch: &'a RecordBatch) -> Self::Values<'a> {
        (A::values(&format!("{name}_a"), batch), B::values(&format!("{name}_b"), batch))
    }

    fn at(values: &Self::Values<'_>, row: usize) -> Self {
        (A::at(&values.0, row), B::at(&values.1, row))
    }
}

impl<T: Cell, const N: usize> Cell for [T; N] {
    type Columns = Vec<T::Columns>;
    type Values<'a> = [T::Values<'a>; N];

    fn fields(name: &str, fields: &mut Vec<Field>) {
        (0..N).for_each(|n| T::fields(&format!("{name}{n}"), fields));
    }

    fn push(self, columns: &mut Self::Columns) {
        columns.resize_with(N, Default::default);
        self.into_iter().zip(columns).for_each(|(value, column)| value.push(column));
    }

    fn take(columns: &mut Self::Columns, arrays: &mut Vec<ArrayRef>) {
        columns.resize_with(N, Default::default);
        for column in columns {
            T::take(column, arrays);
        }
    }

    fn values<'a>(name: &str, batch: &'a RecordBatch) -> Self::Values<'a> {
        std::array::from_fn(|n| T::values(&format!("{name}{n}"), batch))
    }

    fn at(values: &Self::Values<'_>, row: usize) -> Self {
        std::array::from_fn(|n| T::at(&values[n], row))
    }
}

/// A row of a table; made by [`record!`].
pub trait Record: Cell {
    /// The columns.
    fn schema() -> SchemaRef;
}

/// The name of a field within a field; the fields of a table's row have no name around them.
pub(crate) fn within(name: &str, field: &str) -> String {
    if name.is_empty() { field.to_owned() } else { format!("{name}_{field}") }
}

/// A struct that is a [`Record`], each field a [`Cell`]; and as such a cell itself.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $row:ident { $($(#[$doc:meta])* $fvis:vis $column:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        $vis struct $row { $($(#[$doc])* $fvis $column: $type),+ }

        const _: () = {
            use $crate::engine::{Cell, Record, within};

            #[derive(Default)]
            $vis struct Columns { $($column: <$type as Cell>::Columns),+ }

            #[derive(Clone, Copy)]
            $vis struct Values<'a> { $($column: <$type as Cell>::Values<'a>),+ }

            static SCHEMA: std::sync::LazyLock<arrow_schema::SchemaRef> = std::sync::LazyLock::new(|| {
                let mut fields = Vec::new();
                <$row as Cell>::fields("", &mut fields);
                std::sync::Arc::new(arrow_schema::Schema::new(fields))
            });

            impl Record for $row {
                fn schema() -> arrow_schema::SchemaRef {
                    SCHEMA.clone()
                }
            }

            impl Cell for $row {
                type Columns = Columns;
                type Values<'a> = Values<'a>;

                fn fields(name: &str, fields: &mut Vec<arrow_schema::Field>) {
                    $(<$type as Cell>::fields(&within(name, stringify!($column)), fields);)+
                }

                #[inline]
                fn push(self, columns: &mut Columns) {
                    $(Cell::push(self.$column, &mut columns.$column);)+
                }

                fn take(columns: &mut Columns, arrays: &mut Vec<arrow_array::ArrayRef>) {
                    $(<$type as Cell>::take(&mut columns.$column, arrays);)+
                }

                fn values<'a>(name: &str, batch: &'a arrow_array::RecordBatch) -> Values<'a> {
                    Values { $($column: <$type as Cell>::values(&within(name, stringify!($column)), batch)),+ }
                }

                #[inline]
                fn at(values: &Values<'_>, row: usize) -> Self {
                    Self { $($column: <$type as Cell>::at(&values.$column, row)),+ }
                }
            }
        };
    };
}

pub(crate) use record;

/// Gathers rows into batches.
pub struct Table<R: Record> {
    columns: R::Columns,
    rows: usize,
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        Self { columns: R::Columns::default(), rows: 0 }
    }
}

impl<R: Record> Table<R> {
    /// Adds a row.
    #[inline]
    pub fn push(&mut self, row: &R) {
        row.push(&mut self.columns);
        self.rows += 1;
    }

    /// Rows since the last batch.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True where no row came since the last batch.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows since the last batch, as a batch.
    pub fn finish(&mut self) -> RecordBatch {
        self.rows = 0;
        let mut arrays = Vec::new();
        R::take(&mut self.columns, &mut arrays);
        RecordBatch::try_new(R::schema(), arrays).expect("internal error: the columns follow the schema")
    }
}

impl<R: Record> Extend<R> for Table<R> {
    fn extend<I: IntoIterator<Item = R>>(&mut self, rows: I) {
        rows.into_iter().for_each(|row| self.push(&row));
    }
}

/// The rows of a batch, which may have other columns beside.
pub fn rows<R: Record>(batch: &RecordBatch) -> impl Iterator<Item = R> {
    let values = R::values("", batch);
    (0..batch.num_rows()).map(move |row| R::at(&values, row))
}

/// A kernel that sees one row after the other and uses all of them.
pub trait Fold: Send {
    /// What comes.
    type In: Record;
    /// What it puts out.
    type Out: Record;

    /// The next row.
    fn row(&mut self, row: &Self::In, out: &mut Table<Self::Out>);
    /// No more rows. Afterwards it must be as new: it is used again for another partition.
    fn finish(&mut self, out: &mut Table<Self::Out>);
}

/// The kernel over a fold; `make` makes one for each thread.
pub fn folding<F: Fold + 'static>(make: impl Fn() -> F + Send + Sync + 'static) -> Arc<dyn MakeKernel> {
    Arc::new(MakeFolding { make, idle: Arc::default() })
}

/// Folds that are not at work, to be used again: making one may cost more than a small partition does.
type Idle<F> = Arc<Mutex<Vec<F>>>;

struct MakeFolding<M, F> {
    make: M,
    idle: Idle<F>,
}

impl<M: Fn() -> F + Send + Sync, F: Fold + 'static> MakeKernel for MakeFolding<M, F> {
    fn input(&self) -> SchemaRef {
        F::In::schema()
    }

    fn output(&self) -> SchemaRef {
        F::Out::schema()
    }

    fn start(&self, _: &Tables) -> Box<dyn Kernel> {
        let fold = lock(&self.idle).pop().unwrap_or_else(&self.make);
        Box::new(Folding { fold: Some(fold), idle: self.idle.clone(), rows: 0, out: Table::default() })
    }
}

struct Folding<F: Fold> {
    fold: Option<F>,
    idle: Idle<F>,
    rows: u64,
    out: Table<F::Out>,
}

/// Rows that are put out at once.
const OUT_ROWS: usize = 4096;

impl<F: Fold> Kernel for Folding<F> {
    fn push(&mut self, batch: &RecordBatch, out: &mut Emit<'_>) -> Result<(), EngineError> {
        self.rows += batch.num_rows() as u64;
        let fold = self.fold.as_mut().expect("internal error: rows come before the end");
        for row in rows::<F::In>(batch) {
            fold.row(&row, &mut self.out);
            if self.out.len() >= OUT_ROWS {
                out.emit(self.out.finish())?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Emit<'_>) -> Result<Accounted, EngineError> {
        if let Some(mut fold) = self.fold.take() {
            fold.finish(&mut self.out);
            lock(&self.idle).push(fold);
        }
        out.emit(self.out.finish())?;
        Ok(Accounted::used(self.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    record!(
        #[derive(Debug, PartialEq)]
        struct Sample {
            dst: Address,
            n: i32,
            busiest: [(Address, i64); 2],
        }
    );

    #[test]
    fn what_goes_in_comes_out() {
        let names: Vec<String> = Sample::schema().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(names[..3], ["dst_hi", "dst_lo", "n"]);
        assert_eq!(names[3..6], ["busiest0_a_hi", "busiest0_a_lo", "busiest0_b"]);
        let row = |n: i32| Sample {
            dst: Address::v4(n as u32),
            n,
            busiest: [(Address::NONE, n.into()), (Address::v4(1), 2)],
        };
        let mut table = Table::default();
        table.extend([row(5), row(6)]);
        assert_eq!(rows::<Sample>(&table.finish()).collect::<Vec<_>>(), [row(5), row(6)]);
        assert_eq!((table.len(), table.finish().num_rows()), (0, 0));
    }
}
