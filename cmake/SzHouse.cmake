# Tests of the house itself: what may include what, what the libraries export and need, and what an
# installed Szilard gives to a program. They look at the build that people install.
function(house_test name labels)
  add_test(NAME house_${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(house_${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77)
endfunction()

house_test(includes "unit;house" tools/check_includes)
house_test(headers "unit;house" tests/house/check_headers.sh ${CMAKE_SOURCE_DIR} ${CMAKE_C_COMPILER} c++)
house_test(docs house tools/check_docs)
house_test(format house tools/format --check)

if(NOT SZ_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL Coverage)
  house_test(exported_symbols house tools/exported_symbols $<TARGET_FILE:szilard_shared>)
  house_test(needed_libraries house tests/house/check_needed.sh $<TARGET_FILE:szilard_shared>)
  if(SZ_TOOLS)
    house_test(install house tests/house/check_install.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}
               ${CMAKE_C_COMPILER})
    house_test(valgrind "house;valgrind" tests/house/check_valgrind.sh $<TARGET_FILE:szilard>
               $<TARGET_FILE:make_tiny_model>)
  endif()
endif()
