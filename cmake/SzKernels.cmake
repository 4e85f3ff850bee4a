# One object per instruction set: the same source, compiled with its own flags (src/num/kernels).
set(kernels ${CMAKE_SOURCE_DIR}/src/num/kernels)
set(SZ_KERNEL_SOURCES ${kernels}/isa_portable.c)

# Address checks as calls: inline ones make code of this size compile for minutes.
if(SZ_SANITIZE MATCHES address AND CMAKE_C_COMPILER_ID STREQUAL GNU)
  set(checks --param=asan-instrumentation-with-call-threshold=0)
elseif(SZ_SANITIZE MATCHES address)
  set(checks -mllvm -asan-instrumentation-with-call-threshold=0)
endif()
set_source_files_properties(${kernels}/isa_portable.c PROPERTIES COMPILE_OPTIONS "${checks}")

function(add_kernels isa)
  # Undefined behaviour is looked for in the portable object, whose source this is, too.
  if(SZ_SANITIZE)
    list(APPEND checks -fno-sanitize=undefined)
  endif()
  set(SZ_KERNEL_SOURCES ${SZ_KERNEL_SOURCES} ${kernels}/isa_${isa}.c PARENT_SCOPE)
  set_source_files_properties(${kernels}/isa_${isa}.c PROPERTIES
                              COMPILE_OPTIONS "${ARGN};${checks}")
endfunction()

if(SZ_PORTABLE)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/num/dispatch.c PROPERTIES
                              COMPILE_DEFINITIONS SZ_PORTABLE)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # What each file may use, dispatch.c checks before it is chosen.
  add_kernels(avx2 -mavx2 -mfma -mf16c -mbmi2)
  add_kernels(avxvnni -mavx2 -mavxvnni -mfma -mf16c -mbmi2)
  add_kernels(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mfma -mf16c -mbmi2
              -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  add_kernels(neon)
endif()
