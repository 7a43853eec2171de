//! What hostile bytes can make the codec allocate. A program of its own, because it counts every allocation.

use bytes::{Bytes, BytesMut};
use peak_alloc::PeakAlloc;
use streamx::Message;
use streamx::codec::{decode, encode};
use streamx_tests::structs::{Inner, Lists, Maps, Nested, Node, Optionals, Scalars, Sets};
use streamx_tests::vectors;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// An error and its path.
const FAILURE: usize = 1024;
/// What may be reserved before the first element was read.
const RESERVATION: usize = 4096;

/// The most that was allocated at once while these bytes were read, which must fail.
fn peak<M: Message>(bytes: &[u8]) -> usize {
    let bytes = Bytes::copy_from_slice(bytes);
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let read = decode::<M>(bytes);
    let peak = ALLOCATOR.peak_usage() - before;
    assert!(read.is_err());
    peak
}

fn field(kind: u8, number: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind, 0, number], rest].concat()
}

/// A message of numbers and a slice.
#[derive(Message, Debug, Default, PartialEq)]
struct Flat {
    #[field(1)]
    id: i64,
    #[field(2)]
    blob: Bytes,
    #[field(3)]
    retries: Option<i32>,
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn nothing_is_allocated_but_what_is_read() {
    a_message_is_written_and_read_without_allocation();
    nothing_is_allocated_for_what_has_not_arrived();
}

fn a_message_is_written_and_read_without_allocation() {
    let message = Flat { id: 1, blob: Bytes::from_static(&[7; 100]), retries: Some(-1) };
    let mut out = BytesMut::with_capacity(4096);
    out.extend_from_slice(b"what was received before");
    drop(out.split().freeze());
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    for _ in 0..10 {
        encode(&message, &mut out).unwrap();
        assert_eq!(decode::<Flat>(out.split().freeze()).unwrap(), message);
    }
    assert_eq!(ALLOCATOR.peak_usage(), before);
}

fn nothing_is_allocated_for_what_has_not_arrived() {
    let many = 0x7fff_ffff_u32.to_be_bytes();
    let some = 20_000_000_u32.to_be_bytes();

    for count in [many, some] {
        let promise = |prefix: &[u8]| [prefix, &count, &[0; 3]].concat();
        assert!(peak::<Scalars>(&field(11, 7, &promise(&[]))) <= FAILURE, "text");
        assert!(peak::<Scalars>(&field(11, 8, &promise(&[]))) <= FAILURE, "bytes");
        for (number, element) in (1..).zip([2, 3, 6, 8, 10, 4, 11, 11, 8, 12, 15, 12]) {
            assert!(peak::<Lists>(&field(15, number, &promise(&[element]))) <= FAILURE, "list {number}");
        }
        for (number, element) in (1..).zip([8, 11, 2, 10]) {
            assert!(peak::<Sets>(&field(14, number, &promise(&[element]))) <= FAILURE, "set {number}");
        }
        for (number, kinds) in (1..).zip([[11, 10], [8, 11], [2, 4], [8, 12], [11, 15], [10, 13], [11, 11]]) {
            assert!(peak::<Maps>(&field(13, number, &promise(&kinds))) <= FAILURE, "map {number}");
        }
        assert!(peak::<Scalars>(&field(13, 99, &promise(&[12, 12]))) <= FAILURE, "a field that is skipped");
    }

    // A believable count, and then an element that cannot be read: a little is reserved, whatever the count.
    let bad_struct = |count: u32| [&[12][..], &count.to_be_bytes(), &[0xff; 1_000_000]].concat();
    assert!(peak::<Lists>(&field(15, 10, &bad_struct(900_000))) <= RESERVATION + FAILURE, "list of structs");
    let bad_text = [&[11, 10][..], &60_000_u32.to_be_bytes(), &[0xff; 1_000_000]].concat();
    assert!(peak::<Maps>(&field(13, 1, &bad_text)) <= RESERVATION + FAILURE, "map");
    let bad_set = [&[11][..], &60_000_u32.to_be_bytes(), &[0xff; 1_000_000]].concat();
    assert!(peak::<Sets>(&field(14, 2, &bad_set)) <= RESERVATION + FAILURE, "set");

    // Elements that take one byte on the wire and many in memory: three times what they take, however many were read.
    for read in [1, 10, 1000, 30_000] {
        let elements = [&[12][..], &1_000_000_u32.to_be_bytes(), &vec![0; read], &[0xff; 1_000_000]].concat();
        let most = RESERVATION.max(3 * read * size_of::<Inner>()) + FAILURE;
        let peak = peak::<Nested>(&field(15, 3, &elements));
        assert!(peak <= most, "{read} structs: {peak} > {most}");
    }

    // The same in a hash table, which is sparser: never more than four times.
    for read in [1_u32, 10, 1000, 30_000] {
        let entries: Vec<u8> = (0..read).flat_map(|key| [&key.to_be_bytes()[..], &[0]].concat()).collect();
        let elements = [&[8, 12][..], &150_000_u32.to_be_bytes(), &entries, &[0xff; 1_000_000]].concat();
        let size = size_of::<(i32, Inner)>();
        let most = RESERVATION.max(4 * usize::try_from(read).unwrap() * size) + FAILURE;
        let peak = peak::<Maps>(&field(13, 4, &elements));
        assert!(peak <= most, "{read} entries: {peak} > {most}");
    }

    // Nested as deep as it may be, every level promising more than there is.
    let level = [0x0d, 0, 3, 11, 12, 0, 0, 0, 200, 0, 0, 0, 0];
    let peak_nested = peak::<Node>(&[level.repeat(64), vec![0; 4000]].concat());
    assert!(peak_nested <= 64 * (RESERVATION + 256) + FAILURE, "nested: {peak_nested}");

    // Whatever is changed in what Kitex wrote, it stays within what the bytes can hold.
    for (_, vector) in vectors::files("structs").iter().filter(|(file, _)| file == "Optionals") {
        let bytes = vectors::bytes(vector["cases"][2]["hex"].as_str().unwrap());
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                let bytes = Bytes::from(changed);
                let before = ALLOCATOR.current_usage();
                ALLOCATOR.reset_peak_usage();
                let _ = decode::<Optionals>(bytes);
                let peak = ALLOCATOR.peak_usage() - before;
                assert!(peak <= 3 * RESERVATION, "place {place} bit {bit}: {peak}");
            }
        }
    }
}
