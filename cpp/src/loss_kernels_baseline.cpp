#define THALWEG_KERNELS_ISA baseline
#define THALWEG_KERNELS_LANES 2
#include "thalweg/loss/blocks.inl"
