//! What hostile protobuf can make the codec allocate. A program of its own, because it counts every allocation.

use bytes::{Bytes, BytesMut};
use peak_alloc::PeakAlloc;
use streamx::Message;
use streamx::codec::protobuf::{decode, encode};
use streamx_tests::structs::{Inner, Lists, Maps, Nested, Node, Sets};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// An error and its path.
const FAILURE: usize = 1024;
/// What may be reserved before the first element was read.
const RESERVATION: usize = 4096;

/// The most that was allocated at once while these bytes were read.
fn peak<M: Message>(bytes: &[u8]) -> (usize, bool) {
    let bytes = Bytes::copy_from_slice(bytes);
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let read = decode::<M>(bytes);
    (ALLOCATOR.peak_usage() - before, read.is_ok())
}

/// Of bytes that must fail.
fn failing<M: Message>(bytes: &[u8]) -> usize {
    let (peak, read) = peak::<M>(bytes);
    assert!(!read);
    peak
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field with a length.
fn field(number: u8, body: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2], &*varint(body.len()), body].concat()
}

/// A message of numbers and a slice, with one in it.
#[derive(Message, Debug, Default, PartialEq)]
struct Flat {
    #[field(1)]
    id: i64,
    #[field(2)]
    blob: Bytes,
    #[field(3)]
    retries: Option<i32>,
    #[field(4)]
    small: Small,
}

#[derive(Message, Debug, Default, PartialEq)]
struct Small {
    #[field(1)]
    blob: Bytes,
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn nothing_is_allocated_but_what_is_read() {
    a_message_is_written_and_read_without_allocation();
    nothing_is_allocated_for_what_has_not_arrived();
    what_is_read_takes_no_more_than_three_times_its_size();
    changed_bits_allocate_no_more_than_the_bytes_can_hold();
}

fn a_message_is_written_and_read_without_allocation() {
    let blob = Bytes::from_static(&[7; 200]);
    let message = Flat { id: 1, blob: blob.clone(), retries: Some(-1), small: Small { blob } };
    let mut out = BytesMut::with_capacity(8192);
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
    for length in [20_000_000, 0x7fff_ffff, usize::MAX] {
        for number in 1..=12 {
            let promise = [&[number << 3 | 2], &*varint(length), &[0; 3]].concat();
            assert!(failing::<Lists>(&promise) <= FAILURE, "list {number}");
            if number <= 4 {
                assert!(failing::<Sets>(&promise) <= FAILURE, "set {number}");
            }
            if number <= 7 {
                assert!(failing::<Maps>(&promise) <= FAILURE, "map {number}");
                let entry = field(number, &[&[0x12], &*varint(length)].concat());
                assert!(failing::<Maps>(&entry) <= FAILURE, "entry of map {number}");
            }
        }
    }
    // A million numbers, of which the first is none.
    let numbers = field(4, &[&[0xff; 11][..], &[0; 1_000_000]].concat());
    assert!(failing::<Lists>(&numbers) <= RESERVATION + FAILURE, "packed");
    // Nested as deep as it may be, and then broken.
    let deep = (0..64).fold(vec![0xff], |inner, _| field(2, &inner));
    assert!(failing::<Node>(&deep) <= 64 * 256 + FAILURE, "nested");
}

fn what_is_read_takes_no_more_than_three_times_its_size() {
    for count in [1, 10, 1000, 30_000] {
        let within = |size: usize| RESERVATION.max(3 * count * size) + FAILURE;
        let (structs, read) = peak::<Nested>(&field(3, &[]).repeat(count));
        assert!(read && structs <= within(size_of::<Inner>()), "{count} structs: {structs}");
        let (numbers, read) = peak::<Lists>(&field(5, &vec![1; count]));
        assert!(read && numbers <= within(size_of::<i64>()), "{count} numbers: {numbers}");
        let singles = [5 << 3, 1].repeat(count);
        let (numbers, read) = peak::<Lists>(&singles);
        assert!(
            read && numbers <= within(size_of::<i64>()),
            "{count} numbers in fields of their own: {numbers}"
        );
        let entries: Vec<u8> = (0..count).flat_map(|key| field(4, &[&[8], &*varint(key)].concat())).collect();
        let (map, read) = peak::<Maps>(&entries);
        // A hash table is sparser.
        assert!(read && map <= within(size_of::<(i32, Inner)>()) * 4 / 3, "{count} entries: {map}");
    }
}

fn changed_bits_allocate_no_more_than_the_bytes_can_hold() {
    let lists = Lists {
        ll: (0..20).collect(),
        lt: vec!["text".into(); 3],
        lstruct: vec![Inner { id: 1, name: "n".into(), kids: Some(vec![Inner::default()]) }; 3],
        lli: vec![vec![1, 2]],
        ..Lists::default()
    };
    let mut out = BytesMut::new();
    encode(&lists, &mut out).unwrap();
    for place in 0..out.len() {
        for bit in 0..8 {
            let mut changed = out.to_vec();
            changed[place] ^= 1 << bit;
            let (peak, _) = peak::<Lists>(&changed);
            assert!(peak <= 2 * RESERVATION, "place {place} bit {bit}: {peak}");
        }
    }
}
