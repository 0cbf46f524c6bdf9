package main

import "slices"

// cover chooses about size bytes of the samples that repeat most in others: the samples are cut into as many stretches as
// segments fit, and of each the segment is taken whose pieces of 8 bytes occur in most samples and are not taken yet. It is
// the idea of Liao, Petri, Moffat and Wirth, "Effective Construction of Relative Lempel-Ziv Dictionaries" (2016). What
// occurs most comes last, where offsets are short.
func cover(samples [][]byte, size, segment int) []byte {
	const piece, tableBits = 8, 24
	counts := make([]uint16, 1<<tableBits)
	last := make([]int32, 1<<tableBits)
	slot := func(b []byte) uint32 {
		v := uint64(0)
		for i := range piece {
			v = v<<8 | uint64(b[i])
		}
		return uint32(v * 0x9e3779b97f4a7c15 >> (64 - tableBits))
	}
	for n, s := range samples { // in how many samples a piece occurs, not how often
		for i := 0; i+piece <= len(s); i++ {
			h := slot(s[i:])
			if last[h] != int32(n+1) && counts[h] < 1<<16-1 {
				counts[h]++
				last[h] = int32(n + 1)
			}
		}
	}
	type pick struct {
		text  []byte
		score int
	}
	var picks []pick
	stretches := size / segment
	for k := range stretches {
		best := pick{}
		for _, s := range samples[k*len(samples)/stretches : (k+1)*len(samples)/stretches] {
			score := 0
			for i := 0; i+piece <= len(s); i++ {
				score += int(counts[slot(s[i:])])
				if i >= segment-piece+1 {
					score -= int(counts[slot(s[i-segment+piece-1:])])
				}
				if start := max(0, i-segment+piece); score > best.score {
					best = pick{s[start : i+piece], score}
				}
			}
		}
		for i := 0; i+piece <= len(best.text); i++ {
			counts[slot(best.text[i:])] = 0
		}
		if best.score > 0 {
			picks = append(picks, best)
		}
	}
	slices.SortStableFunc(picks, func(a, b pick) int { return a.score - b.score })
	var out []byte
	for _, p := range picks {
		out = append(out, p.text...)
	}
	return out
}
