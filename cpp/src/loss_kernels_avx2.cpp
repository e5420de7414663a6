#define THALWEG_KERNELS_ISA avx2
#define THALWEG_KERNELS_LANES 4
#include "thalweg/loss/blocks.inl"
