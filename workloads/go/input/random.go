package input

// Random is the state of Marsaglia's 32-bit xorshift, not 0.
type Random uint32

// Next is the next number, which is the next state.
func (r *Random) Next() uint32 {
	*r ^= *r << 13
	*r ^= *r >> 17
	*r ^= *r << 5
	return uint32(*r)
}
