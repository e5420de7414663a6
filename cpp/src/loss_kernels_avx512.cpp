#define THALWEG_KERNELS_ISA avx512
#define THALWEG_KERNELS_LANES 8
#include "thalweg/loss/blocks.inl"
