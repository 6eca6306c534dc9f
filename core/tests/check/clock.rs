//! One state met at two times is one state. Everything that the engine and the world hash goes through a hasher that
//! knows a moment when it sees one, and counts it from now: the model's clocks stand where no other number comes near.

use std::hash::{Hash, Hasher};

use peerkeeper_core::time::{Mono, Now, Wall};

/// Where both clocks begin: later than any account id, counter or hash of an id is large, and far from what is random.
pub const BASE_MS: u64 = 1 << 42;
/// The wall clock is that far ahead of the monotonic one.
const EPOCH_S: i64 = 1_800_000_000;
/// Numbers this close to a clock are moments on it.
const SPAN_MS: u64 = 1 << 37;
const SPAN_S: i64 = 1 << 27;
/// What is further ahead is far: tombstones end and requests expire beyond all that is looked at here.
const FAR_MS: u64 = 1_000_000;

pub fn now(at_ms: u64) -> Now {
    let seconds = i64::try_from(at_ms / 1000).expect("it fits");
    Now { mono: Mono(at_ms), wall: Wall(EPOCH_S + seconds) }
}

/// From which age on one moment is as old as another: nothing is decided by how much older it is.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    pub mono_ms: u64,
    pub wall_s: i64,
}

/// 128 bits of what was hashed, moments counted from now.
pub struct FromNow {
    now_ms: u64,
    now_s: i64,
    ages: Ages,
    a: u64,
    b: u64,
}

impl FromNow {
    pub fn of(thing: &impl Hash, at_ms: u64, ages: Ages) -> u128 {
        let mut hasher = Self {
            now_ms: at_ms,
            now_s: now(at_ms).wall.0,
            ages,
            a: 0x243f_6a88_85a3_08d3,
            b: 0x1319_8a2e_0370_7344,
        };
        thing.hash(&mut hasher);
        hasher.word(0x5555);
        (u128::from(hasher.a) << 64) | u128::from(hasher.b)
    }

    fn word(&mut self, word: u64) {
        let wide = u128::from(self.a ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.a = (wide as u64) ^ ((wide >> 64) as u64) ^ self.b;
        self.b = (self.b.rotate_left(25) ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.b ^= self.b >> 29;
    }

    /// A moment as a distance from now, with a mark so that it is no plain number.
    fn moment(&mut self, ahead: i64) {
        self.word(0xaaaa);
        self.word(ahead as u64);
    }
}

impl Hasher for FromNow {
    fn finish(&self) -> u64 {
        self.a ^ self.b
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(eight));
        }
        self.word(bytes.len() as u64);
    }

    fn write_u8(&mut self, n: u8) {
        self.word(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.word(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        if !(BASE_MS - SPAN_MS..BASE_MS + SPAN_MS).contains(&n) {
            return self.word(n);
        }
        let ahead = match n.checked_sub(self.now_ms) {
            Some(later) => later.min(FAR_MS) as i64,
            None => -((self.now_ms - n).min(self.ages.mono_ms) as i64),
        };
        self.moment(ahead);
    }

    fn write_i64(&mut self, n: i64) {
        let base = now(BASE_MS).wall.0;
        if !(base - SPAN_S..base + SPAN_S).contains(&n) {
            return self.word(n as u64);
        }
        self.moment((n - self.now_s).clamp(-self.ages.wall_s, FAR_MS as i64 / 1000));
    }

    fn write_usize(&mut self, n: usize) {
        self.word(n as u64);
    }

    fn write_isize(&mut self, n: isize) {
        self.word(n as u64);
    }
}
