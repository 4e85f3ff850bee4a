# Tests of the house itself: what may include what, what the libraries export and need.
function(house_test name labels)
  add_test(NAME house_${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(house_${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77)
endfunction()

house_test(includes "unit;house" tools/check_includes)
house_test(docs_links "house" tools/check_docs)
house_test(exported_symbols "house" tools/exported_symbols $<TARGET_FILE:szilard_shared>)
