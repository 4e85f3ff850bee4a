# One object per instruction set: the same source, compiled with its own flags (src/num/kernels).
set(kernels ${CMAKE_SOURCE_DIR}/src/num/kernels)
set(SZ_KERNEL_SOURCES ${kernels}/isa_portable.c)
if(SZ_PORTABLE)
  add_compile_definitions(SZ_PORTABLE)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # What each file may use, dispatch.c checks before it is chosen.
  list(APPEND SZ_KERNEL_SOURCES ${kernels}/isa_avx2.c ${kernels}/isa_avxvnni.c
       ${kernels}/isa_avx512.c)
  set_source_files_properties(${kernels}/isa_avx2.c PROPERTIES COMPILE_OPTIONS
                              "-mavx2;-mfma;-mf16c;-mbmi2")
  set_source_files_properties(${kernels}/isa_avxvnni.c PROPERTIES COMPILE_OPTIONS
                              "-mavx2;-mavxvnni;-mfma;-mf16c;-mbmi2")
  set_source_files_properties(${kernels}/isa_avx512.c PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mfma;-mf16c;-mbmi2;-mprefer-vector-width=512")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  list(APPEND SZ_KERNEL_SOURCES ${kernels}/isa_neon.c)
endif()
