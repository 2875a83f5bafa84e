//! Where the events of an import's records stand, by the order of the files, in few bytes.

use crate::position::Position;
use crate::store::Positions;

/// See the module.
pub(super) enum Places {
    /// Records come in the order of the files: for each file, their places.
    AsRead(Vec<Positions>),
    /// They come in the log's order.
    Sorted {
        /// By place among all records, five bytes each, lowest first; zeros where the log took none.
        places: Vec<[u8; 5]>,
        /// For each file the first and the last of its records. Records of one file stand together.
        files: Vec<Option<(u64, u64)>>,
    },
}

impl Places {
    /// For records that come in the order of the files.
    pub(super) fn as_read() -> Places {
        Places::AsRead(Vec::new())
    }

    /// For so many records, which come in any order.
    pub(super) fn sorted(records: u64) -> Places {
        Places::Sorted {
            places: vec![[0; 5]; usize::try_from(records).unwrap_or_default()],
            files: Vec::new(),
        }
    }

    /// Notes where the event of a record stands; `order` is the record's place among those of all files, first is 0.
    pub(super) fn note(&mut self, file: u32, order: u64, at: Position) {
        let file = file as usize;
        match self {
            Places::AsRead(files) => {
                if files.len() <= file {
                    files.resize_with(file + 1, Positions::default);
                }
                files[file].push(at);
            }
            Places::Sorted { places, files } => {
                if files.len() <= file {
                    files.resize(file + 1, None);
                }
                let (first, last) = files[file].unwrap_or((order, order));
                files[file] = Some((first.min(order), last.max(order)));
                // A log of 2^40 events would be larger than its engine allows.
                let [a, b, c, d, e, ..] = at.0.to_le_bytes();
                places[order as usize] = [a, b, c, d, e];
            }
        }
    }

    /// For each of so many files, the places in its order.
    pub(super) fn of_files(self, files: usize) -> Vec<Positions> {
        let mut each = match self {
            Places::AsRead(each) => each,
            Places::Sorted { places, files } => {
                let of = |(first, last): (u64, u64)| {
                    let places = &places[first as usize..=last as usize];
                    let numbers = places.iter().map(|[a, b, c, d, e]| {
                        Position(u64::from_le_bytes([*a, *b, *c, *d, *e, 0, 0, 0]))
                    });
                    numbers.filter(|at| *at != Position::ZERO).collect()
                };
                let each = files.into_iter();
                each.map(|range| range.map_or_else(Positions::default, of))
                    .collect()
            }
        };
        each.resize_with(files, Positions::default);
        each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_by_file_in_its_order() {
        let mut read = Places::as_read();
        let mut sorted = Places::sorted(6);
        // The fourth record is refused; file 1 holds none.
        for (file, order, at) in [(0, 0, 9), (0, 1, 1 << 33), (0, 2, 9), (2, 4, 3), (2, 5, 1)] {
            read.note(file, order, Position(at));
        }
        for (file, order, at) in [(2, 5, 1), (2, 4, 3), (0, 0, 9), (0, 2, 9), (0, 1, 1 << 33)] {
            sorted.note(file, order, Position(at));
        }
        let of = |positions: &[u64]| positions.iter().copied().map(Position).collect();
        let want: [Positions; 4] = [of(&[9, 1 << 33, 9]), of(&[]), of(&[3, 1]), of(&[])];
        assert_eq!(read.of_files(4), want);
        assert_eq!(sorted.of_files(4), want);
    }
}
