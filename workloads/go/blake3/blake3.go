package main

import (
	"encoding/binary"
	"math/bits"
)

// BLAKE3 as its paper says (O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2021), without a key and for a text that is
// all in memory.

const (
	blockLen = 64
	chunkLen = 1024

	chunkStart = 1 << 0
	chunkEnd   = 1 << 1
	parent     = 1 << 2
	root       = 1 << 3
)

var iv = [8]uint32{
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

var permutation = [16]int{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8}

// node is what one compression takes: the last one of a chunk, or that of a parent.
type node struct {
	chaining [8]uint32
	block    [16]uint32
	counter  uint64
	len      uint32
	flags    uint32
}

func sum(text []byte) (hash [32]byte) {
	top := tree(text, 0)
	top.flags |= root
	for i, word := range top.compress() {
		binary.LittleEndian.PutUint32(hash[4*i:], word)
	}
	return hash
}

// tree is the node of text, which begins with the chunk of this number.
func tree(text []byte, chunk uint64) node {
	if len(text) <= chunkLen {
		return leaf(text, chunk)
	}
	// The left side is complete: the greatest power of two of chunks that leaves something for the right one.
	left := chunkLen << (bits.Len(uint((len(text)-1)/chunkLen)) - 1)
	l, r := tree(text[:left], chunk), tree(text[left:], chunk+uint64(left/chunkLen))
	n := node{chaining: iv, len: blockLen, flags: parent}
	cl, cr := l.compress(), r.compress()
	copy(n.block[:8], cl[:])
	copy(n.block[8:], cr[:])
	return n
}

// leaf compresses all blocks of a chunk but the last one.
func leaf(text []byte, chunk uint64) node {
	n := node{chaining: iv, counter: chunk, flags: chunkStart}
	for len(text) > blockLen {
		n.fill(text[:blockLen])
		n.chaining = n.compress()
		n.flags = 0
		text = text[blockLen:]
	}
	n.fill(text)
	n.flags |= chunkEnd
	return n
}

func (n *node) fill(text []byte) {
	var block [blockLen]byte
	n.len = uint32(copy(block[:], text))
	for i := range n.block {
		n.block[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
}

func (n *node) compress() (chaining [8]uint32) {
	c := n.chaining
	v := [16]uint32{
		c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7],
		iv[0], iv[1], iv[2], iv[3], uint32(n.counter), uint32(n.counter >> 32), n.len, n.flags,
	}
	m := n.block
	for round := range 7 {
		if round > 0 {
			m = permute(m)
		}
		v[0], v[4], v[8], v[12] = mix(v[0], v[4], v[8], v[12], m[0], m[1])
		v[1], v[5], v[9], v[13] = mix(v[1], v[5], v[9], v[13], m[2], m[3])
		v[2], v[6], v[10], v[14] = mix(v[2], v[6], v[10], v[14], m[4], m[5])
		v[3], v[7], v[11], v[15] = mix(v[3], v[7], v[11], v[15], m[6], m[7])
		v[0], v[5], v[10], v[15] = mix(v[0], v[5], v[10], v[15], m[8], m[9])
		v[1], v[6], v[11], v[12] = mix(v[1], v[6], v[11], v[12], m[10], m[11])
		v[2], v[7], v[8], v[13] = mix(v[2], v[7], v[8], v[13], m[12], m[13])
		v[3], v[4], v[9], v[14] = mix(v[3], v[4], v[9], v[14], m[14], m[15])
	}
	for i := range chaining {
		chaining[i] = v[i] ^ v[i+8]
	}
	return chaining
}

func mix(a, b, c, d, x, y uint32) (uint32, uint32, uint32, uint32) {
	a += b + x
	d = bits.RotateLeft32(d^a, -16)
	c += d
	b = bits.RotateLeft32(b^c, -12)
	a += b + y
	d = bits.RotateLeft32(d^a, -8)
	c += d
	b = bits.RotateLeft32(b^c, -7)
	return a, b, c, d
}

func permute(m [16]uint32) (permuted [16]uint32) {
	for i, from := range permutation {
		permuted[i] = m[from]
	}
	return permuted
}
