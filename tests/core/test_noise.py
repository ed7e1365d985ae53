import numpy as np

from cuesta.core.noise import NOISE_LEVELS, hashed_places, mixed, noise_bits

KEY = np.array([123456789, 987654321], np.uint32)


def bits(key=KEY, step=0, count=100_000):
    return np.asarray(noise_bits(key, hashed_places(key, count), np.int32(step), count))


def correlation(a, b):
    return np.corrcoef(a.astype(float), b.astype(float))[0, 1]


def test_mixing_is_a_bijection():
    # On a sample: 2²⁰ words in a row have 2²⁰ images.
    words = np.asarray(mixed(np.arange(1 << 20, dtype=np.uint32)))
    assert len(np.unique(words)) == 1 << 20


def test_each_input_bit_turns_each_output_bit_half_of_the_time():
    words = np.random.default_rng(0).integers(0, 1 << 32, 1 << 14, dtype=np.uint32)
    plain = np.asarray(mixed(words))
    for place in range(32):
        turned = np.asarray(mixed(words ^ np.uint32(1 << place))) ^ plain
        shares = [(turned >> k & 1).mean() for k in range(32)]
        # Published bias of this hash: below 0.2 %; a share of 2¹⁴ words is known to 1/256, and
        # the largest of 1,024 shares may be five times that off.
        assert np.abs(np.array(shares) - 0.5).max() < 5 / 256 + 0.002


def test_noise_is_uniform():
    draws = bits(count=1 << 20)
    counts = np.bincount(draws >> 8, minlength=256)
    expected = len(draws) / 256
    chi_square = ((counts - expected) ** 2 / expected).sum()
    # 255 degrees of freedom: mean 255, deviation 22.6; five of them either way.
    assert 255 - 5 * 22.6 < chi_square < 255 + 5 * 22.6
    low = np.bincount(draws & 0xFF, minlength=256)
    assert ((low - expected) ** 2 / expected).sum() < 255 + 5 * 22.6


def test_units_rows_steps_and_keys_draw_on_their_own():
    n = 100_000
    reach = 5 / np.sqrt(n)  # of a correlation of independent draws
    plain = bits(count=n)
    for apart in (1, 2, 31, 32, 64, 128, 1000):
        assert abs(correlation(plain[apart:], plain[:-apart])) < reach
    others = [bits(step=1), bits(step=2), bits(step=32), bits(step=1 << 20)]
    others += [bits(KEY + np.uint32(1)), bits(KEY[::-1]), bits(KEY ^ np.uint32(1 << 31))]
    for other in others:
        assert abs(correlation(plain, other)) < reach
        for apart in (1, 32):
            assert abs(correlation(plain[apart:], other[:-apart])) < reach


def test_the_same_step_draws_the_same():
    np.testing.assert_array_equal(bits(step=7), bits(step=7))


def test_the_share_below_a_threshold_is_the_threshold():
    for share in (0.02, 0.5, 0.9):
        n = 1 << 18
        found = (bits(count=n) < share * NOISE_LEVELS).mean()
        assert abs(found - share) < 5 * np.sqrt(share * (1 - share) / n)
